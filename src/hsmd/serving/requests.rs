//! Counting what clients asked for, and what came of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::protocol::Request;
use crate::protocol::message::Answer;

/// Answered requests by operation, from the start of the program. Counting waits for nobody.
pub struct Requests(BTreeMap<&'static str, Outcomes>);

/// What the outcomes to one operation were.
#[derive(Default)]
struct Outcomes {
    ok: AtomicU64,
    refused: AtomicU64,
    rehearsed: AtomicU64,
}

/// How many requests had one outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// As [`Request::name`].
    pub operation: &'static str,
    /// `ok`, `refused`, or `rehearsed`: it would be done, and was not.
    pub outcome: &'static str,
    /// How often.
    pub times: u64,
}

impl Default for Requests {
    /// All operations, none asked for.
    fn default() -> Self {
        Self(Request::NAMES.iter().map(|name| (*name, Outcomes::default())).collect())
    }
}

impl Requests {
    /// Counts an answered request by its operation's name.
    pub fn count(&self, operation: &str, answer: &Answer) {
        let Some(outcomes) = self.0.get(operation) else { return };
        let counter = match answer {
            Ok(Some(_)) => &outcomes.ok,
            Ok(None) => &outcomes.rehearsed,
            Err(_) => &outcomes.refused,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Every operation with every outcome, also those that never were: who watches for a first time needs the zero.
    #[must_use]
    pub fn counts(&self) -> Vec<Count> {
        let of = |(operation, outcomes): (&&'static str, &Outcomes)| {
            let Outcomes { ok, refused, rehearsed } = outcomes;
            [("ok", ok), ("refused", refused), ("rehearsed", rehearsed)].map(|(outcome, counter)| Count {
                operation,
                outcome,
                times: counter.load(Ordering::Relaxed),
            })
        };
        self.0.iter().flat_map(of).collect()
    }
}
