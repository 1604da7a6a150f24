//! The second factor of a login: a digest that the HSM gives, signed with the user's private key.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::user::UserType;

/// What an HSM gives to be signed: SHA-256 of bytes that it keeps to itself, good for one use in one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Digest(pub [u8; 32]);

/// Asks for a digest; an earlier one of this session is good for nothing any more.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetDigest {
    /// What the signature is for.
    pub purpose: Purpose,
    /// The user that the signature is of.
    pub user_type: UserType,
    /// The user that the signature is of.
    pub name: String,
}

/// What a signature is good for, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// To create a user with this second factor.
    CreateUser,
    /// To change a password, and set this second factor.
    ChangePassword,
    /// To log in.
    Login,
}

/// Signatures of digests, one for each HSM that was asked; each HSM looks for its own.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedDigests(pub Vec<(Digest, Vec<u8>)>);

/// A second factor to be set.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSecondFactor {
    /// An RSA key of 2048 bits, as SubjectPublicKeyInfo in DER.
    pub public_key: Vec<u8>,
    /// Proves that the user has the private key.
    pub signed: SignedDigests,
}

/// Half of a login is nothing for a log.
impl fmt::Debug for SignedDigests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedDigests({})", self.0.len())
    }
}
