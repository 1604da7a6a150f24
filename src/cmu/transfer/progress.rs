//! How far the copying is, for a person who waits.

use std::cell::Cell;
use std::time::Duration;

/// Copies done, of a number that is known.
pub(in crate::cmu) struct Progress {
    done: Cell<usize>,
    total: usize,
}

impl Progress {
    pub(in crate::cmu) fn new(total: usize) -> Self {
        Self { done: Cell::new(0), total }
    }

    pub(super) fn add(&self, count: usize) {
        self.done.set(self.done.get().saturating_add(count));
    }

    /// `1200 of 16666 copies, 8000 a second, 2 s left`.
    pub(in crate::cmu) fn text(&self, elapsed: Duration) -> String {
        let (done, total) = (self.done.get(), self.total);
        let millis = usize::try_from(elapsed.as_millis()).unwrap_or(usize::MAX).max(1);
        let rate = done.saturating_mul(1000).checked_div(millis).unwrap_or(0);
        let left = total.saturating_sub(done).checked_div(rate);
        let left = left.map(|seconds| format!(", {rate} a second, {seconds} s left"));
        format!("{done} of {total} copies{}", left.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Progress;

    #[test]
    fn the_time_left_follows_from_the_rate() {
        let progress = Progress::new(1000);
        assert_eq!(progress.text(Duration::ZERO), "0 of 1000 copies");
        progress.add(200);
        assert_eq!(progress.text(Duration::from_secs(2)), "200 of 1000 copies, 100 a second, 8 s left");
    }
}
