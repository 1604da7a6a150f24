//! Masked objects: a key or a user with all that belongs to it, for another HSM of the clone family.

use serde::{Deserialize, Serialize};

use super::about::About;
use super::key_handle::KeyHandle;
use super::user::UserId;

/// An encrypted, authenticated copy, readable by HSMs of one clone family only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskedObject(pub Vec<u8>);

/// Copies a key: a CU its own, a CO any.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExtractKey {
    /// A token key.
    pub handle: KeyHandle,
}

impl About for ExtractKey {
    fn key(&self) -> Option<KeyHandle> {
        Some(self.handle)
    }
}

/// Copies a user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExtractUser {
    /// On the HSM that is asked.
    pub id: UserId,
}

impl About for ExtractUser {}

/// Inserts a copied key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InsertKey {
    /// What an [`ExtractKey`] returned.
    pub object: MaskedObject,
    /// Under which handle.
    pub place: Place,
    /// What to do if the handle is in use.
    pub existing: Existing,
}

impl About for InsertKey {}

/// The handle that an inserted key gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// The original's: it is the same key.
    SameHandle,
    /// The next free one: it is a key of its own.
    NewHandle,
}

/// Inserts a copied user, who gets the next free id if the HSM has none of that type and name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InsertUser {
    /// What an [`ExtractUser`] returned.
    pub object: MaskedObject,
    /// What to do with a user of that type and name who is there already.
    pub existing: Existing,
}

impl About for InsertUser {}

/// What to do with an object that is there and differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Existing {
    /// Leave it and say what differs.
    Compare,
    /// Make it like the copy.
    Replace,
}

/// What became of a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Inserted<I> {
    /// It was not there.
    Created(I),
    /// It was there, the same in everything.
    Equal(I),
    /// It is there and differs in this; nothing was changed.
    Differs(I, Vec<Difference>),
    /// It was there, and is now like the copy.
    Replaced(I),
}

impl<I> Inserted<I> {
    /// The handle or number of the object on the HSM that answered.
    #[must_use]
    pub fn id(&self) -> &I {
        let (Self::Created(id) | Self::Equal(id) | Self::Differs(id, _) | Self::Replaced(id)) = self;
        id
    }
}

/// A respect in which an object differs from its copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Difference {
    /// A user's password.
    Password,
    /// A key's owner.
    Owner,
    /// Whom a key is shared with.
    Sharing,
    /// A key's attributes.
    Attributes,
    /// How many users have to approve a key's use, or how often they have.
    MValue,
    /// A user's key for approvals, or as a second factor.
    QuorumKey,
}
