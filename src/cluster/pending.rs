//! The servers that a command waits for.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Dial;

/// The servers that were asked and have not answered yet, by their numbers. Clones share them.
#[derive(Clone, Default)]
pub struct Pending(Arc<Mutex<BTreeMap<usize, Waiting>>>);

struct Waiting {
    dial: Arc<Dial>,
    since: Instant,
}

impl Pending {
    /// Each server as `name` has it, in the order of their numbers.
    pub fn names(&self, name: impl Fn(usize, &Dial) -> String) -> Vec<String> {
        self.lock().iter().map(|(number, waiting)| name(*number, &waiting.dial)).collect()
    }

    /// How long the first of them has been waited for; zero if there is none.
    #[must_use]
    pub fn waited(&self) -> Duration {
        let waited = self.lock().values().map(|waiting| waiting.since.elapsed()).max();
        waited.unwrap_or_default()
    }

    /// Counts this server among them until the work has ended, or is given up.
    pub(super) async fn during<T>(self, number: usize, dial: Arc<Dial>, work: impl Future<Output = T>) -> T {
        self.lock().insert(number, Waiting { dial, since: Instant::now() });
        let _asked = Asked { pending: &self, number };
        work.await
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Waiting>> {
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
