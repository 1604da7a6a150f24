//! Slow or random work that a decision needs done elsewhere, and its results.
//!
//! A decision names the work and is made again with the result. So the HSM stays a function of its input, and other
//! requests are decided while a password is hashed.

use serde::{Deserialize, Serialize};

use super::{Computation, Computed, PasswordHash, QuorumKey, Wrapped};
use crate::protocol::Refusal;
use crate::protocol::attribute::Attributes;
use crate::protocol::compare::Print;
use crate::protocol::key::{KeyHandle, KeySpec};
use crate::protocol::user::UserType;

/// What has to be done before the HSM can decide.
#[derive(Clone)]
pub enum Work {
    /// Hash the new password of the request.
    HashPassword,
    /// Compare the password of the request with this hash.
    CheckPassword(PasswordHash),
    /// Make a key or a pair.
    Generate(KeySpec),
    /// Encrypt a copy for the clone family.
    Mask(Box<Copied>),
    /// Read a copy.
    Unmask(Vec<u8>),
    /// Encrypt several keys for the clone family.
    MaskAll(Vec<CopiedKey>),
    /// Read several copies.
    UnmaskAll(Vec<Vec<u8>>),
    /// Print the hashes of passwords.
    Print(Vec<PasswordHash>),
    /// Draw random bytes.
    Random,
    /// Compute something with the values of keys.
    Compute(Box<Computation>),
    /// Sign a statement with the cluster's key.
    Attest(Vec<u8>),
}

/// The result of [`Work`].
#[derive(Clone)]
pub enum Worked {
    /// The new password, hashed.
    Hashed(PasswordHash),
    /// Whether the password is the one of `hash`.
    Checked {
        /// A decision ignores the comparison if this is no longer the user's.
        hash: PasswordHash,
        /// Whether it matched.
        right: bool,
    },
    /// The key, or the pair with the public half first.
    Generated(Vec<NewKey>),
    /// The encrypted copy.
    Masked(Vec<u8>),
    /// The copy, if it is one of this clone family.
    Unmasked(Result<Box<Copied>, Refusal>),
    /// The encrypted copies by the handles of their keys; `None` for one that cannot be read.
    MaskedAll(Vec<(KeyHandle, Option<Vec<u8>>)>),
    /// The copies, in order.
    UnmaskedAll(Vec<Result<Copied, Refusal>>),
    /// The prints of these hashes, method first, in this clone family.
    #[expect(missing_docs, reason = "the types say it")]
    Printed { of: Vec<PasswordHash>, family: [u8; 16], prints: Vec<(Print, Print)> },
    /// Bytes that nobody can guess.
    Random([u8; 32]),
    /// What came of a computation.
    Computed {
        /// A decision ignores the result if it needs another one: a handle may now be another key's.
        of: Box<Computation>,
        /// Refused if the values do not allow it.
        result: Result<Computed, Refusal>,
    },
    /// The signature of a statement.
    #[expect(missing_docs, reason = "the types say it")]
    Attested { statement: Vec<u8>, signature: Vec<u8> },
}

/// A key without a handle, as its value alone determines it.
#[derive(Clone)]
#[expect(missing_docs, reason = "the types say it")]
pub struct NewKey {
    /// Those that follow from the value, and the defaults of its kind.
    pub attributes: Attributes,
    pub material: Material,
}

/// A key's value as an HSM keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    /// Encrypted under the HSM's master key; in a copy, under the clone family's masking key.
    pub wrapped: Wrapped,
    /// Equal for equal values on all HSMs of the clone family; nobody else can tell anything from it.
    pub fingerprint: [u8; 32],
}

/// What a masked object holds. Users are named, as their numbers differ from HSM to HSM.
#[derive(Clone, Serialize, Deserialize)]
pub enum Copied {
    /// A key with owner, sharing and quorum.
    Key(CopiedKey),
    /// A user with credentials.
    User(CopiedUser),
}

/// A key on its way to another HSM.
#[derive(Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of a key")]
pub struct CopiedKey {
    pub handle: KeyHandle,
    pub attributes: Attributes,
    pub material: Material,
    pub owner: (UserType, String),
    pub shared_with: Vec<(UserType, String)>,
    pub m_value: u8,
    pub approved: u32,
}

/// A user on its way to another HSM.
#[derive(Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of a user")]
pub struct CopiedUser {
    pub user_type: UserType,
    pub name: String,
    pub password: PasswordHash,
    pub quorum_key: Option<QuorumKey>,
}
