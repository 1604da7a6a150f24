//! Keeps what anybody can cause from filling the log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lets a few lines a minute through.
#[derive(Default)]
pub struct Throttle(Mutex<State>);

#[derive(Default)]
struct State {
    /// When the first line of this period was let through.
    began: Option<Instant>,
    lines: u32,
    unsaid: u64,
}

/// How many lines were left out before this one.
#[derive(Clone, Copy)]
pub(super) struct Unsaid(u64);

const PERIOD: Duration = Duration::from_secs(60);

/// Lines in a period.
const MAX: u32 = 10;

impl Throttle {
    /// `None` if the line is to be left out.
    pub(super) fn take(&self) -> Option<Unsaid> {
        self.take_at(Instant::now())
    }

    fn take_at(&self, now: Instant) -> Option<Unsaid> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.began.is_none_or(|began| now.saturating_duration_since(began) >= PERIOD) {
            state.began = Some(now);
            state.lines = 0;
        }
        if state.lines >= MAX {
            state.unsaid = state.unsaid.saturating_add(1);
            return None;
        }
        state.lines = state.lines.saturating_add(1);
        Some(Unsaid(std::mem::take(&mut state.unsaid)))
    }
}

impl Unsaid {
    /// `None`, and no field in the log, if none was left out.
    pub(super) fn get(self) -> Option<u64> {
        (self.0 > 0).then_some(self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{MAX, PERIOD, Throttle};

    #[test]
    fn what_was_left_out_is_counted_in_the_next_period() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let said = (0..1000).filter(|_| throttle.take_at(start).is_some()).count();
        assert_eq!(said, MAX as usize);
        assert_eq!(throttle.take_at(start + PERIOD).unwrap().get(), Some(990));
        assert_eq!(throttle.take_at(start + PERIOD).unwrap().get(), None);
    }
}
