//! Slow or random work that a decision needs done outside, and what it brings.

use serde::{Deserialize, Serialize};

use super::{PasswordHash, QuorumKey, Wrapped};
use crate::protocol::Refusal;
use crate::protocol::attribute::Attributes;
use crate::protocol::key::{KeyHandle, KeySpec, SignMechanism};
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
    /// Draw random bytes.
    Random,
    /// Sign a hash with a private key.
    Sign {
        /// The key's value.
        key: Material,
        /// How.
        mechanism: SignMechanism,
        /// What.
        hash: Vec<u8>,
    },
}

/// What the work brought.
#[derive(Clone)]
pub enum Worked {
    /// The new password, hashed.
    Hashed(PasswordHash),
    /// Whether the password is the one of `hash`.
    Checked {
        /// What it was compared with: a decision ignores a comparison with a hash that is no longer the user's.
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
    /// Nobody could have guessed them.
    Random([u8; 32]),
    /// The signature, unless the key is not for this mechanism.
    Signed(Result<Vec<u8>, Refusal>),
}

/// A key that has no handle yet: what follows from its value, with everything else by default.
#[derive(Clone)]
pub struct NewKey {
    /// The defaults of its kind.
    pub attributes: Attributes,
    /// Its value.
    pub material: Material,
}

/// A key's value as an HSM keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    /// Encrypted under the HSM's master key; in a copy, under the clone family's masking key.
    pub wrapped: Wrapped,
    /// The same for the same value on all HSMs of the clone family, and tells nothing of it to others.
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

/// A key on its way.
#[derive(Clone, Serialize, Deserialize)]
pub struct CopiedKey {
    /// The original's.
    pub handle: KeyHandle,
    /// All of them.
    pub attributes: Attributes,
    /// Its value.
    pub material: Material,
    /// Type and name.
    pub owner: (UserType, String),
    /// Types and names.
    pub shared_with: Vec<(UserType, String)>,
    /// How many users have to approve its use.
    pub m_value: u8,
    /// How many changes they have approved.
    pub approved: u32,
}

/// A user on its way.
#[derive(Clone, Serialize, Deserialize)]
pub struct CopiedUser {
    /// CO or CU.
    pub user_type: UserType,
    /// As typed at creation.
    pub name: String,
    /// What a password is compared with.
    pub password: PasswordHash,
    /// Registered for approvals, or with a second factor.
    pub quorum_key: Option<QuorumKey>,
}
