//! An HSM's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The system's clock, which tests can set ahead. Clones share it.
#[derive(Clone, Default)]
pub struct Clock {
    /// Microseconds.
    ahead: Arc<AtomicU64>,
}

impl Clock {
    /// Sets the clock ahead, so that a test need not wait until something expires.
    pub fn advance(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.ahead.fetch_add(micros, Ordering::Relaxed);
    }

    /// Microseconds since 1970.
    #[must_use]
    pub fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let system = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
        system.saturating_add(self.ahead.load(Ordering::Relaxed))
    }
}
