//! Masked objects: a key or a user with all that belongs to it, for another HSM of the clone family.

use serde::{Deserialize, Serialize};

use super::Refusal;
use super::about::About;
use super::key_handle::KeyHandle;
use super::user::UserId;

/// An encrypted, authenticated copy, readable by HSMs of one clone family only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskedObject(#[serde(with = "super::byte_string")] pub Vec<u8>);

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

/// What became of each object of a batch, in order.
pub type Rows<R> = Vec<Result<R, Refusal>>;

/// Copies several keys, as [`ExtractKey`] does each of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExtractKeys {
    /// At most [`MAX_BATCH`], of token keys.
    pub handles: Vec<KeyHandle>,
}

impl About for ExtractKeys {}

/// Keys of one batch: even the masked objects of the longest fit in a frame.
pub const MAX_BATCH: usize = 768;

/// Bytes of masked objects in one call at most: it leaves room for the rest of the call.
pub const MAX_BATCH_BYTES: usize = 180_000;

/// Inserts several copied keys in one commit, as [`InsertKey`] does each of them, under the same handle.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InsertKeys {
    /// In the order in which they are inserted.
    pub copies: Vec<KeyCopy>,
}

impl About for InsertKeys {}

/// A key of a batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyCopy {
    /// What an [`ExtractKeys`] returned.
    pub object: MaskedObject,
    /// What to do if the handle is in use.
    pub existing: Existing,
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
