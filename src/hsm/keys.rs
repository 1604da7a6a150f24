//! The keys of an HSM, by their handles.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{FIRST_INDEX, Key, Material, SessionId};
use crate::protocol::Refusal;
use crate::protocol::attribute::{Attribute, SetBy, Value};
use crate::protocol::key::{HANDLES_PER_NODE, KeyHandle, Sharing};
use crate::protocol::user::UserId;

/// All keys of an HSM.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Keys {
    token: BTreeMap<KeyHandle, Arc<Key>>,
    next_index: u32,
    /// The approved changes of deleted keys, by fingerprint: an older copy must not bring a key back without them.
    retired: BTreeMap<[u8; 32], u32>,
    /// They end with their sessions, and are not stored.
    #[serde(skip)]
    session: BTreeMap<KeyHandle, (SessionId, Arc<Key>)>,
}

impl Keys {
    /// The token keys, in the order of their handles.
    pub(super) fn tokens(&self) -> impl Iterator<Item = (&KeyHandle, &Arc<Key>)> {
        self.token.iter()
    }

    pub(super) fn get(&self, handle: KeyHandle) -> Result<&Arc<Key>, Refusal> {
        let session = || self.session.get(&handle).map(|(_, key)| key);
        self.token.get(&handle).or_else(session).ok_or(Refusal::InvalidHandle)
    }

    pub(super) fn token(&self, handle: KeyHandle) -> Result<&Arc<Key>, Refusal> {
        self.token.get(&handle).ok_or(Refusal::InvalidHandle)
    }

    pub(super) fn owns_any(&self, user: UserId) -> bool {
        self.token.values().any(|key| key.owner == user)
            || self.session.values().any(|(_, key)| key.owner == user)
    }

    /// The next free ones of this node. A handle is reused only when all have been given once, so that a client that
    /// missed a deletion does not take another key for the old one.
    pub(super) fn handles(&self, node_id: u32, count: usize) -> Result<Vec<KeyHandle>, Refusal> {
        let base = node_id.checked_mul(HANDLES_PER_NODE).ok_or(Refusal::TooManyKeys)?;
        let next = self.next_index.clamp(FIRST_INDEX, HANDLES_PER_NODE);
        let handles: Vec<_> = (next..HANDLES_PER_NODE)
            .chain(FIRST_INDEX..next)
            .map(|index| KeyHandle(base.saturating_add(index)))
            .filter(|handle| self.get(*handle).is_err())
            .take(count)
            .collect();
        if handles.len() == count { Ok(handles) } else { Err(Refusal::TooManyKeys) }
    }

    pub(super) fn len(&self) -> usize {
        self.token.len().saturating_add(self.session.len())
    }

    pub(super) fn insert(&mut self, handle: KeyHandle, key: Key, session: Option<SessionId>) {
        match session {
            None => {
                self.session.remove(&handle);
                self.token.insert(handle, Arc::new(key));
            }
            Some(session) => drop(self.session.insert(handle, (session, Arc::new(key)))),
        }
    }

    /// Handles up to this one count as given, if it is one of this node: copies bring those of other nodes.
    pub(super) fn use_up(&mut self, node_id: u32, handle: KeyHandle) {
        if handle.0.checked_div(HANDLES_PER_NODE) == Some(node_id) {
            let next = (handle.0 % HANDLES_PER_NODE).saturating_add(1);
            self.next_index = self.next_index.max(next);
        }
    }

    pub(super) fn remove(&mut self, handle: KeyHandle) {
        if let Ok(key) = self.get(handle).cloned()
            && key.approved > 0
        {
            let approved = self.approved(&key.material.fingerprint);
            self.retired.insert(key.material.fingerprint, approved);
        }
        self.token.remove(&handle);
        self.session.remove(&handle);
    }

    /// The most changes that were approved for a key, under any handle and even if it is deleted: a copy with fewer
    /// would undo one.
    pub(super) fn approved(&self, fingerprint: &[u8; 32]) -> u32 {
        let held = self.all().filter(|(_, key)| key.material.fingerprint == *fingerprint);
        let held = held.map(|(_, key)| key.approved).max().unwrap_or_default();
        held.max(self.retired.get(fingerprint).copied().unwrap_or_default())
    }

    pub(super) fn end_session(&mut self, session: Option<SessionId>) {
        self.session.retain(|_, (of, _)| session.is_some_and(|ended| *of != ended));
    }

    pub(super) fn forget_user(&mut self, user: UserId) {
        for key in self.token.values_mut().filter(|key| key.shared_with.contains(&user)) {
            Arc::make_mut(key).shared_with.remove(&user);
        }
    }

    pub(super) fn share(&mut self, handle: KeyHandle, users: &[UserId], sharing: Sharing) {
        let Some(key) = self.get_mut(handle) else { return };
        match sharing {
            Sharing::Share => key.shared_with.extend(users),
            Sharing::Unshare => key.shared_with.retain(|user| !users.contains(user)),
        }
        count_approval(key);
    }

    pub(super) fn set(&mut self, handle: KeyHandle, attribute: Attribute, value: &Value) {
        let Some(key) = self.get_mut(handle) else { return };
        // The rule has tried it.
        let _ = key.attributes.set(attribute, value);
        if attribute.set_by() == SetBy::Owner {
            count_approval(key);
        }
    }

    pub(super) fn rewrapped<E>(
        &self,
        mut rewrap: impl FnMut(&Material) -> Result<Material, E>,
    ) -> Result<Self, E> {
        let mut token = BTreeMap::new();
        for (handle, key) in &self.token {
            let material = rewrap(&key.material)?;
            token.insert(*handle, Arc::new(Key { material, ..key.as_ref().clone() }));
        }
        let retired = self.retired.clone();
        Ok(Self { token, next_index: self.next_index, retired, session: BTreeMap::new() })
    }

    /// Makes them the keys of another node. Among them may be copies of keys that a node of this number made: its next
    /// handle comes after theirs.
    pub(super) fn move_to(&mut self, node_id: u32) {
        self.session.clear();
        self.next_index = 0;
        for handle in self.token.keys().copied().collect::<Vec<_>>() {
            self.use_up(node_id, handle);
        }
    }

    fn get_mut(&mut self, handle: KeyHandle) -> Option<&mut Key> {
        let session = self.session.get_mut(&handle).map(|(_, key)| key);
        self.token.get_mut(&handle).or(session).map(Arc::make_mut)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (KeyHandle, &Key)> {
        let session = self.session.iter().map(|(handle, (_, key))| (*handle, key.as_ref()));
        self.token.iter().map(|(handle, key)| (*handle, key.as_ref())).chain(session)
    }
}

/// The change of a key that needs approvals had them.
fn count_approval(key: &mut Key) {
    if key.m_value > 1 {
        key.approved = key.approved.saturating_add(1);
    }
}
