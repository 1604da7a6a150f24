//! Counts requests by operation and outcome.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::protocol::Request;
use crate::protocol::message::Response;

/// Answered requests by operation, since the program started. The counters are atomic: counting takes no lock.
pub struct Requests(BTreeMap<&'static str, Outcomes>);

/// How the requests for one operation ended.
#[derive(Default)]
struct Outcomes {
    ok: AtomicU64,
    refused: AtomicU64,
    rehearsed: AtomicU64,
}

/// The number of requests for one operation with one outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Count {
    /// As [`Request::name`].
    pub operation: &'static str,
    /// `ok`, `refused`, or `rehearsed`, which is a request that would have succeeded and was not carried out.
    pub outcome: &'static str,
    pub times: u64,
}

impl Default for Requests {
    /// All operations, at zero.
    fn default() -> Self {
        Self(Request::NAMES.iter().map(|name| (*name, Outcomes::default())).collect())
    }
}

impl Requests {
    /// Counts an answered request under its operation's name.
    pub fn count(&self, operation: &str, answer: &Response) {
        let Some(outcomes) = self.0.get(operation) else { return };
        let counter = match answer {
            Ok(Some(_)) => &outcomes.ok,
            Ok(None) => &outcomes.rehearsed,
            Err(_) => &outcomes.refused,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Every operation with every outcome, even at zero: monitoring can see a first increase only from zero.
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
