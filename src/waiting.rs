//! Waiting for servers, with somebody who may want to know for which.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::cluster::Dial;

/// The servers that were asked and have not answered yet, by their numbers. Clones share them.
#[derive(Clone, Default)]
pub struct Pending(Arc<Mutex<BTreeMap<usize, Arc<Dial>>>>);

impl Pending {
    /// Each server as `name` has it, in the order of their numbers.
    pub fn names(&self, name: impl Fn(usize, &Dial) -> String) -> Vec<String> {
        self.lock().iter().map(|(number, dial)| name(*number, dial)).collect()
    }

    /// Counts this server among them until the work has ended, or is given up.
    pub(crate) async fn during<T>(self, number: usize, dial: Arc<Dial>, work: impl Future<Output = T>) -> T {
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

/// Does the work, and meanwhile tells again and again how long it takes already.
pub async fn watched<T>(work: impl Future<Output = T>, mut tell: impl FnMut(Duration)) -> T {
    let start = Instant::now();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            _ = ticks.tick() => tell(start.elapsed()),
        }
    }
}

/// A key that is pressed meanwhile is answered after this time at most.
const TICK: Duration = Duration::from_millis(100);
