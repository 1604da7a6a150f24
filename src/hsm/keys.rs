//! The keys of an HSM, by their handles.

use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::twins::Twins;
use super::{FIRST_INDEX, Key, Material, SessionId};
use crate::protocol::Refusal;
use crate::protocol::attribute::{Attribute, SetBy, Value};
use crate::protocol::key::{HANDLES_PER_NODE, KeyHandle, Sharing};
use crate::protocol::user::UserId;

/// All keys of an HSM. The maps share their parts: a copy costs what changes in it, however many keys there are.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub(super) struct Keys {
    token: OrdMap<KeyHandle, Arc<Key>>,
    next_index: u32,
    /// What an older copy of a key must not undo, by fingerprint: it would bring the key back as it was.
    marks: OrdMap<[u8; 32], Mark>,
    /// They end with their sessions, and are not stored.
    #[serde(skip)]
    session: OrdMap<KeyHandle, (SessionId, Arc<Key>)>,
    /// Of the keys above.
    #[serde(skip)]
    twins: Twins,
}

/// As a snapshot has them.
#[derive(Deserialize)]
struct Stored {
    token: OrdMap<KeyHandle, Arc<Key>>,
    next_index: u32,
    marks: OrdMap<[u8; 32], Mark>,
}

impl From<Stored> for Keys {
    fn from(Stored { token, next_index, marks }: Stored) -> Self {
        let mut twins = Twins::default();
        token.iter().for_each(|(handle, key)| twins.add(*handle, key));
        Self { token, next_index, marks, session: OrdMap::new(), twins }
    }
}

/// The approved changes of deleted keys with this value, and [`Mark::TRUSTED`] if one was ever trusted.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Mark(u32);

impl Mark {
    /// No key has so many approved changes.
    const TRUSTED: u32 = 1 << 31;

    fn approved(self) -> u32 {
        self.0 & !Self::TRUSTED
    }

    fn set_approved(&mut self, approved: u32) {
        self.0 = (self.0 & Self::TRUSTED) | approved;
    }

    fn was_trusted(self) -> bool {
        self.0 & Self::TRUSTED != 0
    }
}

impl Keys {
    /// These token keys, and those keys of open sessions.
    pub(super) fn with_session_keys_of(self, open: &Self) -> Self {
        let mut keys = self;
        for (handle, (session, key)) in &open.session {
            if !keys.token.contains_key(handle) {
                keys.twins.add(*handle, key);
                keys.session.insert(*handle, (*session, Arc::clone(key)));
            }
        }
        keys
    }

    /// The token keys, in the order of their handles.
    pub(super) fn tokens(&self) -> impl Iterator<Item = (&KeyHandle, &Arc<Key>)> {
        self.token.iter()
    }

    /// Those whose handles come after this bound.
    pub(super) fn tokens_after(
        &self,
        after: Bound<KeyHandle>,
    ) -> impl Iterator<Item = (&KeyHandle, &Arc<Key>)> {
        self.token.range((after, Bound::Unbounded))
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
        if let Ok(replaced) = self.get(handle).cloned() {
            self.twins.remove(handle, &replaced);
        }
        self.twins.add(handle, &key);
        match session {
            None => {
                self.session.remove(&handle);
                self.token.insert(handle, Arc::new(key));
                self.remember_trust(handle);
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
        let Ok(key) = self.get(handle).cloned() else { return };
        if key.approved > 0 {
            let approved = self.approved(&key.material.fingerprint);
            self.marks.entry(key.material.fingerprint).or_default().set_approved(approved);
        }
        self.remember_trust(handle);
        self.twins.remove(handle, &key);
        self.token.remove(&handle);
        self.session.remove(&handle);
    }

    /// The most changes that were approved for a key, under any handle and even if it is deleted: a copy with fewer
    /// would undo one.
    pub(super) fn approved(&self, fingerprint: &[u8; 32]) -> u32 {
        let held = self.decided(fingerprint).map(|key| key.approved).max().unwrap_or_default();
        held.max(self.marks.get(fingerprint).map(|mark| mark.approved()).unwrap_or_default())
    }

    /// Whether the values of other keys may be encrypted under this one, or its other half, that not even their owners
    /// may have.
    ///
    /// A CO may withdraw the trust in a key, and a copy of a trusted key is not trusted; what it has encrypted remains.
    /// So a key that was ever trusted, and all that comes out of it, stays under the rule that only trusted keys may
    /// wrap it, and decrypts no data for a caller.
    pub(super) fn is_guarded(&self, key: &Key) -> bool {
        key.attributes.trusted
            || key.attributes.wrap_with_trusted
            || self.twins_of(key).any(|twin| twin.attributes.trusted)
    }

    /// Whether a copy of a key must be guarded: the key is, or was before it was deleted. The copy may be older.
    pub(super) fn must_guard(&self, copy: &Key) -> bool {
        let fingerprint = copy.material.fingerprint;
        self.is_guarded(copy)
            || self.marks.get(&fingerprint).is_some_and(|mark| mark.was_trusted())
            || self.decided(&fingerprint).any(|key| key.attributes.wrap_with_trusted)
    }

    /// Only for token keys: there are no copies of a session's keys, and a snapshot does not have them.
    fn remember_trust(&mut self, handle: KeyHandle) {
        let Some(trusted) = self.token.get(&handle).filter(|key| key.attributes.trusted) else { return };
        for twin in self.twins.of(trusted).filter_map(|handle| self.token.get(&handle)) {
            self.marks.entry(twin.material.fingerprint).or_default().0 |= Mark::TRUSTED;
        }
    }

    pub(super) fn end_session(&mut self, session: Option<SessionId>) {
        let is_over = |of: SessionId| session.is_none_or(|ended| of == ended);
        let over = self.session.iter().filter(|(_, (of, _))| is_over(*of)).map(|(handle, _)| *handle);
        for handle in over.collect::<Vec<_>>() {
            if let Some((_, key)) = self.session.remove(&handle) {
                self.twins.remove(handle, &key);
            }
        }
    }

    pub(super) fn shared_with(&self, user: UserId) -> Vec<KeyHandle> {
        let shared = self.token.iter().filter(|(_, key)| key.shared_with.contains(&user));
        shared.map(|(handle, _)| *handle).collect()
    }

    /// None, but their handles are not given again: other HSMs may have the keys.
    pub(super) fn emptied(&self) -> Self {
        Self { next_index: self.next_index, ..Self::default() }
    }

    /// Whether one is a copy of the other that nothing was done to.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.token.ptr_eq(&other.token)
    }

    pub(super) fn forget_user(&mut self, user: UserId) {
        for handle in self.shared_with(user) {
            if let Some(key) = self.token.get_mut(&handle) {
                change(key, |key| {
                    key.shared_with.remove(&user);
                });
            }
        }
    }

    pub(super) fn share(&mut self, handle: KeyHandle, users: &[UserId], sharing: Sharing) {
        self.change(handle, |key| {
            match sharing {
                Sharing::Share => key.shared_with.extend(users),
                Sharing::Unshare => key.shared_with.retain(|user| !users.contains(user)),
            }
            count_approval(key);
        });
    }

    pub(super) fn set(&mut self, handle: KeyHandle, attribute: Attribute, value: &Value) {
        self.remember_trust(handle);
        self.change(handle, |key| {
            // The rule has tried it.
            let _ = key.attributes.set(attribute, value);
            if attribute.set_by() == SetBy::Owner {
                count_approval(key);
            }
        });
        self.remember_trust(handle);
    }

    pub(super) fn rewrapped<E>(
        &self,
        mut rewrap: impl FnMut(&Material) -> Result<Material, E>,
    ) -> Result<Self, E> {
        let mut token = OrdMap::new();
        for (handle, key) in &self.token {
            let material = rewrap(&key.material)?;
            token.insert(*handle, Arc::new(Key { material, ..key.as_ref().clone() }));
        }
        Ok(Stored { token, next_index: self.next_index, marks: self.marks.clone() }.into())
    }

    /// Makes them the keys of another node. Among them may be copies of keys that a node of this number made: its next
    /// handle comes after theirs.
    pub(super) fn move_to(&mut self, node_id: u32) {
        self.end_session(None);
        self.next_index = 0;
        for handle in self.token.keys().copied().collect::<Vec<_>>() {
            self.use_up(node_id, handle);
        }
    }

    fn change(&mut self, handle: KeyHandle, how: impl FnOnce(&mut Key)) {
        let session = self.session.get_mut(&handle).map(|(_, key)| key);
        let Some(key) = self.token.get_mut(&handle).or(session) else { return };
        self.twins.remove(handle, key);
        change(key, how);
        self.twins.add(handle, key);
    }

    /// The keys with this value about which something was decided.
    fn decided(&self, fingerprint: &[u8; 32]) -> impl Iterator<Item = &Key> {
        self.twins.decided(*fingerprint).filter_map(|handle| self.get(handle).ok()).map(Arc::as_ref)
    }

    fn twins_of(&self, key: &Key) -> impl Iterator<Item = &Key> {
        self.twins.of(key).filter_map(|handle| self.get(handle).ok()).map(Arc::as_ref)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (KeyHandle, &Key)> {
        let session = self.session.iter().map(|(handle, (_, key))| (*handle, key.as_ref()));
        self.token.iter().map(|(handle, key)| (*handle, key.as_ref())).chain(session)
    }
}

/// Always in a copy, even if nobody else holds the key: a copy has no prints yet.
fn change(key: &mut Arc<Key>, how: impl FnOnce(&mut Key)) {
    let mut changed = Key::clone(key);
    how(&mut changed);
    *key = Arc::new(changed);
}

/// The change of a key that needs approvals had them.
fn count_approval(key: &mut Key) {
    if key.m_value > 1 {
        key.approved = key.approved.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::iter::successors;

    use super::{Attribute, Key, KeyHandle, Keys, Material, SessionId, Sharing, UserId, Value};
    use crate::hsm::{Prints, Wrapped};
    use crate::protocol::attribute::Attributes;

    /// One of several values and moduli; the numbers count from 0.
    fn key(mut pick: impl FnMut(u32) -> u32) -> Key {
        let mut attributes = postcard::from_bytes::<Attributes>(&[0; 64]).unwrap();
        attributes.modulus = Some(vec![u8::try_from(pick(5)).unwrap()]).filter(|modulus| *modulus != [0]);
        attributes.trusted = pick(9) == 0;
        attributes.wrap_with_trusted = pick(9) == 0;
        let fingerprint = [u8::try_from(pick(9)).unwrap(); 32];
        let material = Material { wrapped: Wrapped(Vec::new()), fingerprint };
        let (m_value, approved) = (2, 2_u32.saturating_sub(pick(9)));
        let (owner, shared_with, prints) = (UserId(3), BTreeSet::new(), Prints::default());
        Key { attributes, material, owner, shared_with, m_value, approved, prints }
    }

    /// What the keys say of a copy, found by a look at all of them.
    fn by_all(keys: &Keys, copy: &Key) -> (u32, bool, bool) {
        let fingerprint = &copy.material.fingerprint;
        let all = || keys.all().map(|(_, key)| key);
        let same = || all().filter(|key| key.material.fingerprint == *fingerprint);
        let mark = keys.marks.get(fingerprint).copied().unwrap_or_default();
        let approved = same().map(|key| key.approved).max().unwrap_or_default().max(mark.approved());
        let is_guarded = copy.attributes.trusted
            || copy.attributes.wrap_with_trusted
            || all().any(|key| key.attributes.trusted && key.is_twin_of(copy));
        let must_guard =
            is_guarded || mark.was_trusted() || same().any(|key| key.attributes.wrap_with_trusted);
        (approved, is_guarded, must_guard)
    }

    #[test]
    fn what_bears_upon_a_copy_is_found_as_by_a_look_at_all_keys() {
        let mut numbers = successors(Some(1_u32), |last| Some(last.wrapping_mul(1_664_525).wrapping_add(1)));
        let mut pick = |count| numbers.next().unwrap().rotate_right(16) % count;
        let mut keys = Keys::default();
        for _ in 0..5000 {
            let (handle, key, session) = (KeyHandle(pick(40)), key(&mut pick), SessionId(pick(3)));
            match pick(10) {
                0 => keys.remove(handle),
                1 => keys.end_session(Some(session)),
                2 => keys.share(handle, &[UserId(4)], Sharing::Share),
                3 => keys.set(handle, Attribute::Trusted, &Value::Byte(1)),
                4 => keys.set(handle, Attribute::Trusted, &Value::Byte(0)),
                5 => keys.set(handle, Attribute::WrapWithTrusted, &Value::Byte(1)),
                6 if keys.token(handle).is_err() => keys.insert(handle, key.clone(), Some(session)),
                _ => keys.insert(handle, key.clone(), None),
            }
            let found =
                (keys.approved(&key.material.fingerprint), keys.is_guarded(&key), keys.must_guard(&key));
            assert_eq!(found, by_all(&keys, &key));
            // Else there is nothing to find sooner or later.
            if pick(50) == 0 {
                keys.marks = Default::default();
            }
        }
        let stored: Keys = postcard::from_bytes(&postcard::to_stdvec(&keys).unwrap()).unwrap();
        keys.end_session(None);
        assert!(stored == keys && keys.len() > 9);
    }
}
