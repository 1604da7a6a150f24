//! What the HSMs must hold, as far as their answers say.

use std::collections::{BTreeMap, BTreeSet};

use cloudhsm::cluster::Failure;
use cloudhsm::protocol::Refusal;
use cloudhsm::protocol::key::KeyHandle;

/// What one server may hold of one thing. A single value, unless the outcome of a change is in doubt.
#[derive(Clone, Debug)]
pub(crate) struct Cell<T> {
    possible: BTreeSet<T>,
    /// Of calls without an answer: the server may carry them out at any time.
    lost: BTreeSet<T>,
}

impl<T: Ord + Clone> Cell<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { possible: BTreeSet::from([value]), lost: BTreeSet::new() }
    }

    pub(crate) fn acknowledged(&mut self, value: T) {
        self.possible = BTreeSet::from([value]);
    }

    /// The store has failed: only its next start decides.
    pub(crate) fn doubtful(&mut self, value: T) {
        self.possible.insert(value);
    }

    pub(crate) fn lost(&mut self, value: T) {
        self.lost.insert(value);
    }

    pub(crate) fn allows(&self, value: &T) -> bool {
        self.possible.contains(value) || self.lost.contains(value)
    }

    /// Whether it may be there, or not there.
    pub(crate) fn may_be(&self, is_it: impl Fn(&T) -> bool) -> bool {
        self.possible.iter().chain(&self.lost).any(is_it)
    }

    /// All values that it may have.
    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.possible.union(&self.lost)
    }

    /// Its value, if there is no doubt.
    pub(crate) fn known(&self) -> Option<&T> {
        let mut values = self.values();
        values.next().filter(|_| values.next().is_none())
    }

    pub(crate) fn is_lost(&self) -> bool {
        !self.lost.is_empty()
    }
}

/// Something on each server: the number of its label or password; `None` if it is not there.
pub(crate) type Cells = Vec<Cell<Option<u64>>>;

/// The keys of one user. Nobody else changes them.
#[derive(Default)]
pub(crate) struct Book {
    pub(crate) keys: BTreeMap<KeyHandle, Cells>,
    /// Labels of keys that a server may have made, under a handle that it did not say.
    pub(crate) orphans: BTreeSet<(usize, u64)>,
}

impl Book {
    /// A key that no server is known to have.
    pub(crate) fn begin(&mut self, handle: KeyHandle, servers: usize) -> &mut Cells {
        self.keys.insert(handle, vec![Cell::new(None); servers]);
        self.keys.get_mut(&handle).unwrap()
    }

    /// Keys that can be changed without making a doubt larger.
    pub(crate) fn settled(&self) -> Vec<KeyHandle> {
        let is_settled =
            |cells: &Cells| !cells.iter().any(Cell::is_lost) && cells.iter().any(|cell| !cell.allows(&None));
        self.keys.iter().filter(|(_, cells)| is_settled(cells)).map(|(handle, _)| *handle).collect()
    }

    /// Whether a server may hold the key with this label; `None` for a server without the key.
    pub(crate) fn allows(&self, server: usize, handle: KeyHandle, label: Option<u64>) -> bool {
        let known = self.keys.get(&handle).map(|cells| cells[server].allows(&label));
        let is_orphan = || label.is_some_and(|label| self.orphans.contains(&(server, label)));
        known.unwrap_or(label.is_none()) || is_orphan()
    }
}

/// What a failure says of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Nothing was changed.
    Nothing,
    /// The change may be made, but if it is not now, it never will be.
    Doubt,
    /// The change may be made at any time.
    Silence,
    /// Nobody is logged in on this connection.
    LoggedOut,
    /// The thing is not there.
    Absent,
    /// It is there already.
    Present,
    /// What must not be said here.
    Wrong,
}

pub(crate) fn said(failure: &Failure) -> Said {
    match failure {
        Failure::NotReached(_) | Failure::Interrupted => Said::Nothing,
        Failure::NoAnswer(_) => Said::Silence,
        Failure::Refused(refusal) => refused(refusal.code()),
        Failure::Limited => Said::Wrong,
    }
}

/// As [`said`], of a refusal with this code.
pub(crate) fn refused(code: u32) -> Said {
    match Refusal::ALL.iter().find(|refusal| refusal.code() == code) {
        Some(Refusal::StoreFailure | Refusal::ShuttingDown) => Said::Doubt,
        Some(Refusal::NotLoggedIn) => Said::LoggedOut,
        Some(Refusal::InvalidHandle | Refusal::NoSuchUser) => Said::Absent,
        Some(Refusal::UserExists) => Said::Present,
        Some(Refusal::TooManyUsers | Refusal::TooManyKeys | Refusal::OutOfResources) => Said::Nothing,
        _ => Said::Wrong,
    }
}
