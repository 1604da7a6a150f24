//! Which of two states of a key is the newer one, by the key's own history and without a clock.
//!
//! A state is a hash of all that syncKey copies, with users by name, so that equal keys have equal states on all HSMs
//! of a cluster. A version is a state and the number of changes before it. Each key remembers its last versions: one
//! HSM's version is newer than another's if it has the other's among those. A console makes a change on every HSM, so
//! that all get the same new version; what changed differently on two sides of a cut has no order.

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::hash::sha256_of;
use super::{Hsm, Key};
use crate::protocol::key::KeyHandle;
use crate::protocol::message::OperationId;
use crate::protocol::user::UserId;

/// A hash of a key with its attributes, owner, sharing and quorum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct State([u8; 16]);

impl State {
    /// Of a key that is deleted.
    pub const DELETED: Self = Self([0; 16]);
}

/// One version of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// The changes of the key before this one.
    pub changes: u32,
    /// What it is now.
    pub state: State,
}

/// How a key came to its version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// How many changes it had.
    pub changes: u32,
    /// The last versions before it, oldest first.
    pub versions: Vec<Version>,
    /// The client's operation that made the last change, if that changed nothing else.
    pub operation: Option<OperationId>,
}

/// What another HSM's version is to this HSM's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The same, or one that this HSM had.
    Known,
    /// One that this HSM does not have yet.
    Newer,
    /// Both have changed since they were the same.
    Unordered,
}

/// The past of each key that was changed, and of each that was deleted. A key without one is as it was made.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pasts {
    of: OrdMap<KeyHandle, Arc<Past>>,
    /// What the decision that is being applied has changed.
    #[serde(skip)]
    touched: Vec<KeyHandle>,
}

/// How many versions a key remembers. HSMs that are further apart than this have no order.
const REMEMBERED: usize = 16;

impl Past {
    fn add(&mut self, version: Version) {
        self.versions.retain(|known| *known != version);
        self.versions.push(version);
        let old = self.versions.len().saturating_sub(REMEMBERED);
        self.versions.drain(..old);
    }

    /// The past of a version whose state another HSM has reached in another way.
    pub(super) fn joined(&self, other: &Self) -> Self {
        let mut past = Self { changes: self.changes, operation: self.operation, versions: Vec::new() };
        let mut versions: Vec<_> = self.versions.iter().chain(&other.versions).copied().collect();
        versions.sort();
        versions.into_iter().for_each(|version| past.add(version));
        past
    }
}

impl Pasts {
    pub(super) fn get(&self, handle: KeyHandle) -> Option<&Past> {
        self.of.get(&handle).map(Arc::as_ref)
    }

    pub(super) fn set(&mut self, handle: KeyHandle, past: Past) {
        if past == Past::default() {
            self.forget(handle);
        } else {
            self.of.insert(handle, Arc::new(past));
        }
    }

    pub(super) fn forget(&mut self, handle: KeyHandle) {
        self.of.remove(&handle);
    }

    pub(super) fn handles(&self) -> impl Iterator<Item = KeyHandle> {
        self.of.keys().copied()
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.of.ptr_eq(&other.of)
    }

    fn changed(&mut self, handle: KeyHandle, before: State) {
        let past = Arc::make_mut(self.of.entry(handle).or_default());
        past.add(Version { changes: past.changes, state: before });
        past.changes = past.changes.saturating_add(1);
        past.operation = None;
        self.touched.push(handle);
    }

    /// A client's operation has been applied. One that asks again under this id gets the same answer from an HSM that has
    /// the change from another one; but not if the operation did more than that.
    pub(super) fn name(&mut self, operation: OperationId) {
        if let [handle] = *self.touched.as_slice()
            && let Some(past) = self.of.get_mut(&handle)
        {
            Arc::make_mut(past).operation = Some(operation);
        }
        self.touched.clear();
    }

    pub(super) fn name_nothing(&mut self) {
        self.touched.clear();
    }
}

impl Hsm {
    /// Applies what may change the keys, and notes which it changed.
    pub(super) fn changing(&mut self, handles: &[KeyHandle], apply: impl FnOnce(&mut Self)) {
        let before: Vec<_> = handles.iter().map(|handle| (*handle, self.state(*handle))).collect();
        apply(self);
        for (handle, before) in before {
            if let Some(before) = before
                && self.state(handle) != Some(before)
            {
                self.pasts.changed(handle, before);
            }
        }
    }

    /// The version of a token key, or of one that is deleted; `None` if there never was one.
    #[must_use]
    pub fn version(&self, handle: KeyHandle) -> Option<Version> {
        let changes = self.pasts.get(handle).map(|past| past.changes).unwrap_or_default();
        self.state(handle).map(|state| Version { changes, state })
    }

    /// All versions, those of deleted keys too, as long as these are remembered.
    pub fn versions(&self) -> impl Iterator<Item = (KeyHandle, Version)> {
        let alive = self.keys.tokens().map(|(handle, _)| *handle);
        alive.filter_map(|handle| Some((handle, self.version(handle)?))).chain(self.deletions())
    }

    /// The deleted keys that are remembered.
    pub fn deletions(&self) -> impl Iterator<Item = (KeyHandle, Version)> {
        let deleted = self.pasts.handles().filter(|handle| self.keys.token(*handle).is_err());
        deleted.filter_map(|handle| Some((handle, self.version(handle)?)))
    }

    /// What another HSM's version of a key is to this HSM's. `past` is the other's, if it is known.
    #[must_use]
    pub fn order(&self, handle: KeyHandle, theirs: Version, past: Option<&Past>) -> Order {
        let Some(own) = self.version(handle) else { return Order::Newer };
        if own.state == theirs.state {
            return if own.changes >= theirs.changes { Order::Known } else { Order::Newer };
        }
        let had = |past: Option<&Past>, version| past.is_some_and(|past| past.versions.contains(&version));
        if had(self.pasts.get(handle), theirs) {
            Order::Known
        } else if had(past, own) {
            Order::Newer
        } else {
            Order::Unordered
        }
    }

    /// Whether both have the same keys and users, without a look at each: one is a copy of the other.
    #[must_use]
    pub fn has_keys_and_users_of(&self, other: &Self) -> bool {
        self.pasts.is_same(&other.pasts) && self.keys.is_same(&other.keys) && self.users.ptr_eq(&other.users)
    }

    /// All that a snapshot holds.
    #[must_use]
    pub fn with_pasts(&self) -> impl Serialize {
        (self, &self.pasts)
    }

    /// Reads what [`with_pasts`](Self::with_pasts) gave, encoded.
    #[must_use]
    pub fn from_with_pasts(bytes: &[u8]) -> Option<Self> {
        let (hsm, pasts) = postcard::from_bytes::<(Self, Pasts)>(bytes).ok()?;
        Some(Self { pasts, ..hsm })
    }

    fn state(&self, handle: KeyHandle) -> Option<State> {
        match (self.keys.token(handle), self.pasts.get(handle)) {
            (Ok(key), _) => Some(self.state_of(key)),
            (Err(_), Some(_)) => Some(State::DELETED),
            (Err(_), None) => None,
        }
    }

    fn state_of(&self, key: &Key) -> State {
        let name = |id: &UserId| self.users.get(id).map(|user| (user.user_type, user.name.folded()));
        let mut sharers: Vec<_> = key.shared_with.iter().map(name).collect();
        sharers.sort();
        let told =
            (&key.attributes, key.material.fingerprint, name(&key.owner), sharers, key.m_value, key.approved);
        // These types can always be encoded.
        let hash = sha256_of(&told).unwrap_or_default();
        State(hash.first_chunk().copied().unwrap_or_default())
    }
}
