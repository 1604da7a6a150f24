//! What time it is for an HSM.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The system's clock, or one that is ahead of it. Clones are the same clock.
#[derive(Clone, Default)]
pub struct Clock {
    /// Microseconds.
    ahead: Arc<AtomicU64>,
}

impl Clock {
    /// Sets it ahead, so that nobody has to wait until something expires.
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
