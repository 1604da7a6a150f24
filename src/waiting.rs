//! Waiting, with regular reports of the time so far.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// Does the work, and meanwhile calls `report` with the time so far.
pub async fn watched<T>(work: impl Future<Output = T>, mut report: impl FnMut(Duration)) -> T {
    let start = Instant::now();
    let mut ticks = interval_at(start + TICK, TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            _ = ticks.tick() => report(start.elapsed()),
        }
    }
}

/// Short enough that a key pressed meanwhile seems to be answered at once.
const TICK: Duration = Duration::from_millis(100);
