//! What an HSM's owner says about the HSM, and about its own work.

use crate::hsm::{Census, Change};

/// How an HSM is, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Whether it could be used.
    pub changes: Changes,
    /// What it holds.
    pub census: Census,
    /// What was done.
    pub counters: Counters,
}

/// Whether an HSM takes changes; it reads in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changes {
    /// As it should.
    Taken,
    /// The cluster has no owner yet, and answers public questions only.
    NotInitialized,
    /// Not until a restart: what was changed last may not be durable.
    StoreFailed,
}

/// Counts from the start of the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Commits of the store, each of one or more decisions; the one that takes down the start is not among them.
    pub commits: u64,
    /// Failures of the store; it is not used again after the first.
    pub store_failures: u64,
    /// Wrong passwords and second factors that count towards a user's lockout.
    pub login_failures: u64,
}

impl Counters {
    /// Counts one commit of these decisions' changes.
    pub fn count(&mut self, decisions: &[&[Change]]) {
        let failed = |change: &&Change| matches!(change, Change::LoginFailed(_));
        let failures = decisions.iter().copied().flatten().filter(failed).count();
        self.commits = self.commits.saturating_add(1);
        self.login_failures = self.login_failures.saturating_add(failures as u64);
    }
}
