//! The state of an HSM and of its engine, in numbers.

use crate::hsm::{Census, Event};

/// An HSM's status at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Status {
    pub changes: Changes,
    pub census: Census,
    pub counters: Counters,
}

/// Whether an HSM accepts changes. It answers reads in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changes {
    /// The normal case.
    Taken,
    /// The cluster is not initialized: only public requests are answered.
    NotInitialized,
    /// The store has failed, as on a full disk, and is tried again before each change.
    StoreFailed,
}

/// Counts since the program started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Commits of the store, each of one or more decisions. The one at the start is not counted.
    pub commits: u64,
    /// Failures of the store.
    pub store_failures: u64,
    /// Wrong passwords and second factors that count towards a user's lockout.
    pub login_failures: u64,
}

impl Counters {
    /// Counts one commit of these decisions' changes.
    pub fn count(&mut self, decisions: &[&[Event]]) {
        let failed = |event: &&Event| matches!(event, Event::LoginFailed(_));
        let failures = decisions.iter().copied().flatten().filter(failed).count();
        self.commits = self.commits.saturating_add(1);
        self.login_failures = self.login_failures.saturating_add(failures as u64);
    }
}
