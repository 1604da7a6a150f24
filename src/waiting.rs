//! Waiting, with somebody who wants to know how long it takes already.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// Does the work, and meanwhile tells again and again how long it takes already.
pub async fn watched<T>(work: impl Future<Output = T>, mut tell: impl FnMut(Duration)) -> T {
    let start = Instant::now();
    let mut ticks = interval_at(start + TICK, TICK);
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
