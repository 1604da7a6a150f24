//! What is copied: users, one at a time as by `syncUser`, so that each copy has its own approvals; keys in batches.

use super::{Counts, Lane};
use crate::cluster::{Answer, Failure};
use crate::protocol::Operation;
use crate::protocol::key::KeyHandle;
use crate::protocol::masked::{
    Existing, ExtractKeys, ExtractUser, InsertKeys, InsertUser, Inserted, KeyCopy, MaskedObject, Rows,
};
use crate::protocol::user::UserId;

/// A kind of thing that is copied.
pub(super) trait Cargo {
    /// On the source.
    type Id: Copy;
    type Extract: Operation;
    type Insert: Operation;

    fn extract(ids: &[Self::Id]) -> Self::Extract;

    /// What the source gave, in order; fails if the source is lost.
    fn objects(
        answer: Answer<<Self::Extract as Operation>::Reply>,
        count: usize,
    ) -> Answer<Rows<MaskedObject>>;

    /// `None` if there is nothing to insert.
    fn insert(copies: Vec<KeyCopy>) -> Option<Self::Insert>;

    fn inserted(answer: Answer<<Self::Insert as Operation>::Reply>) -> Answer<Rows<Became>>;

    /// How a destination gets it; `None` if it does not.
    fn existing(lane: &Lane, id: Self::Id) -> Option<Existing>;

    fn copied(counts: &mut Counts);

    fn failed(lane: &mut Lane, id: Self::Id, why: String);
}

/// What became of a copy.
#[derive(Clone, Copy)]
pub(super) enum Became {
    Copied,
    Equal,
    Differs,
}

impl Became {
    fn of<I>(inserted: &Inserted<I>) -> Self {
        match inserted {
            Inserted::Created(_) | Inserted::Replaced(_) => Self::Copied,
            Inserted::Equal(_) => Self::Equal,
            Inserted::Differs(..) => Self::Differs,
        }
    }
}

pub(super) struct UserCargo;

impl Cargo for UserCargo {
    type Id = UserId;
    type Extract = ExtractUser;
    type Insert = InsertUser;

    fn extract(ids: &[UserId]) -> ExtractUser {
        // Users go one at a time.
        ExtractUser { id: ids.first().copied().unwrap_or(UserId(0)) }
    }

    fn objects(answer: Answer<MaskedObject>, _count: usize) -> Answer<Rows<MaskedObject>> {
        one(answer)
    }

    fn insert(copies: Vec<KeyCopy>) -> Option<InsertUser> {
        let KeyCopy { object, existing } = copies.into_iter().next()?;
        Some(InsertUser { object, existing })
    }

    fn inserted(answer: Answer<Inserted<UserId>>) -> Answer<Rows<Became>> {
        one(answer.map(|inserted| Became::of(&inserted)))
    }

    fn existing(lane: &Lane, id: UserId) -> Option<Existing> {
        lane.users.get(&id).map(|(existing, _)| *existing)
    }

    fn copied(counts: &mut Counts) {
        counts.users = counts.users.saturating_add(1);
    }

    fn failed(lane: &mut Lane, id: UserId, why: String) {
        if let Some((_, name)) = lane.users.get(&id) {
            lane.failed_users.push((name.clone(), why));
        }
    }
}

pub(super) struct KeyCargo;

impl Cargo for KeyCargo {
    type Id = KeyHandle;
    type Extract = ExtractKeys;
    type Insert = InsertKeys;

    fn extract(ids: &[KeyHandle]) -> ExtractKeys {
        ExtractKeys { handles: ids.to_vec() }
    }

    fn objects(answer: Answer<Rows<MaskedObject>>, count: usize) -> Answer<Rows<MaskedObject>> {
        match answer {
            Err(Failure::Refused(refusal)) => Ok(vec![Err(refusal); count]),
            answer => answer,
        }
    }

    fn insert(copies: Vec<KeyCopy>) -> Option<InsertKeys> {
        (!copies.is_empty()).then_some(InsertKeys { copies })
    }

    fn inserted(answer: Answer<Rows<Inserted<KeyHandle>>>) -> Answer<Rows<Became>> {
        answer.map(|rows| rows.into_iter().map(|row| row.map(|inserted| Became::of(&inserted))).collect())
    }

    fn existing(lane: &Lane, handle: KeyHandle) -> Option<Existing> {
        lane.keys.get(&handle).copied()
    }

    fn copied(counts: &mut Counts) {
        counts.keys = counts.keys.saturating_add(1);
    }

    fn failed(lane: &mut Lane, handle: KeyHandle, why: String) {
        lane.failed_keys.push((handle, why));
    }
}

/// A refusal of one is a row, too.
fn one<R>(answer: Answer<R>) -> Answer<Rows<R>> {
    match answer {
        Ok(reply) => Ok(vec![Ok(reply)]),
        Err(Failure::Refused(refusal)) => Ok(vec![Err(refusal)]),
        Err(failure) => Err(failure),
    }
}
