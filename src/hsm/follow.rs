//! How an HSM brings its keys up to date with those of another HSM of its cluster: what it offers, and what it takes.
//!
//! Users never follow. A key whose owner, or a user who shares it, is missing here waits until the user is created.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::audit::{AuditHead, Opcode};
use super::done::Performed;
use super::version::{Order, Past, Version};
use super::{CopiedKey, Deed, Event, Hsm, Key, MAX_KEYS, SessionId};
use crate::protocol::Refusal;
use crate::protocol::key::KeyHandle;
use crate::protocol::user::UserType;

/// A key as another HSM has it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Offered<K> {
    /// The same on all HSMs of a cluster.
    pub handle: KeyHandle,
    /// What it is now.
    pub version: Version,
    /// How it came to that.
    pub past: Past,
    /// The operation that made the last change, if it is remembered.
    pub performed: Option<Performed>,
    /// `None` if it is deleted.
    pub key: Option<K>,
}

/// What an HSM does about offered keys.
pub struct Followed {
    /// To be stored, then applied.
    pub events: Vec<Event>,
    /// The keys that it has now.
    pub taken: Vec<KeyHandle>,
    /// Newer keys that it cannot have yet, and why: a user is missing, there is no room, or a session key has the handle.
    pub waiting: Vec<(KeyHandle, Refusal)>,
    /// Keys that were changed on both HSMs since they were the same: both stay as they are.
    pub unordered: Vec<KeyHandle>,
}

/// Of the audit records.
const LOGIN: Opcode = Opcode(0x0d);
const LOGOUT: Opcode = Opcode(0x0e);
const DESTROY: Opcode = Opcode(0x11);
const EXTRACT: Opcode = Opcode(0xf0);
const INSERT: Opcode = Opcode(0xf1);

impl<K> Offered<K> {
    /// The same with another form of the key.
    ///
    /// # Errors
    ///
    /// That of `change`.
    pub fn map<T, E>(self, change: impl FnOnce(K) -> Result<T, E>) -> Result<Offered<T>, E> {
        let Self { handle, version, past, performed, key } = self;
        Ok(Offered { handle, version, past, performed, key: key.map(change).transpose()? })
    }
}

impl Hsm {
    /// What it has to say of these keys; nothing of those that it never had.
    #[must_use]
    pub fn offer(&self, handles: &[KeyHandle]) -> Vec<Offered<CopiedKey>> {
        let offer = |handle: &KeyHandle| {
            let key = match self.keys.token(*handle) {
                Ok(key) => Some(self.copied(*handle, key).ok()?),
                Err(_) => None,
            };
            let past = self.pasts.get(*handle).cloned().unwrap_or_default();
            let performed = past.operation.and_then(|id| self.done.get(id)).cloned();
            Some(Offered { handle: *handle, version: self.version(*handle)?, past, performed, key })
        };
        handles.iter().filter_map(offer).collect()
    }

    /// The audit records of what it has offered. They name the AU, who copies keys in the original, too.
    #[must_use]
    pub fn offered(&self, handles: &[KeyHandle], now: u64) -> Vec<Event> {
        self.recorded(handles.iter().map(|handle| (EXTRACT, *handle)).collect(), now)
    }

    /// Decides what to take of offered keys.
    #[must_use]
    pub fn follow(&self, offered: Vec<Offered<CopiedKey>>, now: u64) -> Followed {
        let (mut events, mut done) = (Vec::new(), Vec::new());
        let (mut taken, mut waiting, mut unordered) = (Vec::new(), Vec::new(), Vec::new());
        let mut room = MAX_KEYS.saturating_sub(self.keys.len());
        let mut answered = BTreeSet::new();
        for Offered { handle, version, past, performed, key } in offered {
            match self.order(handle, version, Some(&past)) {
                Order::Known => continue,
                Order::Unordered => {
                    unordered.push(handle);
                    continue;
                }
                Order::Newer => {}
            }
            let key = match key.map(|copied| self.taken(handle, &copied, &mut room)).transpose() {
                Ok(key) => key,
                Err(refusal) => {
                    waiting.push((handle, refusal));
                    continue;
                }
            };
            // A key that only counts more changes is no news to the audit log, nor is the end of one that was never here.
            if self.version(handle).map_or(key.is_some(), |own| own.state != version.state) {
                done.push((if key.is_some() { INSERT } else { DESTROY }, handle));
            }
            let past = self.pasts.get(handle).map_or_else(|| past.clone(), |own| past.joined(own));
            taken.push(handle);
            events.push(Event::KeyFollowed { handle, key, past });
            let new = performed
                .filter(|performed| self.done.get(performed.id).is_none() && answered.insert(performed.id));
            events.extend(new.map(Event::Performed));
        }
        events.extend(self.recorded(done, now));
        Followed { events, taken, waiting, unordered }
    }

    /// Forgets deletions that all HSMs of the cluster have seen. One that has changed again since is kept.
    #[must_use]
    pub fn forgotten(&self, seen: &[(KeyHandle, Version)]) -> Vec<Event> {
        let same = seen.iter().filter(|(handle, version)| self.version(*handle) == Some(*version));
        let handles: Vec<_> = same.map(|(handle, _)| *handle).collect();
        if handles.is_empty() { Vec::new() } else { vec![Event::DeletionsForgotten(handles)] }
    }

    pub(super) fn follow_key(&mut self, handle: KeyHandle, key: Option<&Key>, past: &Past) {
        let is_same = |key: &&Key| {
            let own = self.keys.token(handle);
            own.is_ok_and(|own| own.material.fingerprint == key.material.fingerprint)
        };
        if key.filter(is_same).is_none() {
            self.tokens.end_key(handle);
        }
        match key {
            Some(key) => {
                self.keys.use_up(self.identity.node_id, handle);
                self.keys.insert(handle, key.clone(), None);
            }
            None => self.keys.remove(handle),
        }
        self.pasts.set(handle, past.clone());
    }

    fn taken(&self, handle: KeyHandle, copied: &CopiedKey, room: &mut usize) -> Result<Key, Refusal> {
        let key = self.resolve(copied)?;
        if self.keys.token(handle).is_ok() {
            return Ok(key);
        }
        if self.keys.get(handle).is_ok() {
            return Err(Refusal::HandleTaken);
        }
        *room = room.checked_sub(1).ok_or(Refusal::TooManyKeys)?;
        Ok(key)
    }

    /// Records of the AU's deeds, between a login and a logout.
    fn recorded(&self, deeds: Vec<(Opcode, KeyHandle)>, now: u64) -> Vec<Event> {
        if deeds.is_empty() {
            return Vec::new();
        }
        let au = self.users.values().find(|user| user.user_type == UserType::Au);
        let au = au.map(|user| (user.user_type, user.name.as_str().to_owned()));
        let deed = |opcode, user, key| Deed { opcode, refusal: None, session: SessionId(0), user, key };
        let login = [deed(LOGIN, au, None)].into_iter();
        let deeds = deeds.into_iter().map(|(opcode, handle)| deed(opcode, None, Some(handle)));
        let mut head: AuditHead = self.audit.clone();
        let record = |deed| {
            let record = head.next(deed, now, self.reboots);
            head = record.head();
            Event::Recorded(record)
        };
        login.chain(deeds).chain([deed(LOGOUT, None, None)]).map(record).collect()
    }
}
