//! The servers that a command waits for.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Dial;

/// The servers that were asked and have not answered yet, by their numbers. Clones share them.
#[derive(Clone, Default)]
pub struct Pending(Arc<Mutex<BTreeMap<usize, Arc<Dial>>>>);

impl Pending {
    /// Each server as `name` has it, in the order of their numbers.
    pub fn names(&self, name: impl Fn(usize, &Dial) -> String) -> Vec<String> {
        self.lock().iter().map(|(number, dial)| name(*number, dial)).collect()
    }

    /// Counts this server among them until the work has ended, or is given up.
    pub(super) async fn during<T>(self, number: usize, dial: Arc<Dial>, work: impl Future<Output = T>) -> T {
        self.lock().insert(number, dial);
        let _asked = Asked { pending: &self, number };
        work.await
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Arc<Dial>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A server that has not answered.
struct Asked<'a> {
    pending: &'a Pending,
    number: usize,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.pending.lock().remove(&self.number);
    }
}
