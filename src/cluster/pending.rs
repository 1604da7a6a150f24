//! The servers that a command waits for, to show them to a person who wonders what takes so long.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Dial;

/// The servers that have been asked and have not answered yet, by number. Clones share the list.
#[derive(Clone, Default)]
pub struct Pending(Arc<Mutex<BTreeMap<usize, Waiting>>>);

struct Waiting {
    dial: Arc<Dial>,
    since: Instant,
}

impl Pending {
    /// The names of the servers, made by `name`, in the order of their numbers.
    pub fn names(&self, name: impl Fn(usize, &Dial) -> String) -> Vec<String> {
        self.lock().iter().map(|(number, waiting)| name(*number, &waiting.dial)).collect()
    }

    /// The longest wait for any of them; zero if the list is empty.
    #[must_use]
    pub fn waited(&self) -> Duration {
        let waited = self.lock().values().map(|waiting| waiting.since.elapsed()).max();
        waited.unwrap_or_default()
    }

    /// Lists this server until the work ends or is cancelled.
    pub(super) async fn during<T>(self, number: usize, dial: Arc<Dial>, work: impl Future<Output = T>) -> T {
        self.lock().insert(number, Waiting { dial, since: Instant::now() });
        // A guard, because an interrupt drops this future in the middle of `work`.
        let _asked = Asked { pending: &self, number };
        work.await
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the server from the list when dropped.
struct Asked<'a> {
    pending: &'a Pending,
    number: usize,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.pending.lock().remove(&self.number);
    }
}
