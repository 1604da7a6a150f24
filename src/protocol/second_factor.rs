//! The second factor of a login: a digest that the HSM hands out, signed with the user's private key.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::about::About;
use super::user_type::UserType;

/// What an HSM gives to be signed: the SHA-256 of bytes that it keeps to itself, good for one use in one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Digest(pub [u8; 32]);

/// Asks for a digest; an earlier one of this session becomes void.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetDigest {
    /// What the signature is for.
    pub purpose: Purpose,
    /// Of the user who is to sign.
    pub user_type: UserType,
    /// Of the user who is to sign.
    pub name: String,
}

impl About for GetDigest {
    fn subject(&self) -> Option<(UserType, &str)> {
        Some((self.user_type, &self.name))
    }
}

/// The one thing that a signature is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// To create a user with this second factor.
    CreateUser,
    /// To change a password, and set this second factor.
    ChangePassword,
    /// To log in.
    Login,
}

/// Signatures of digests, one for each HSM that gave one; an HSM looks for its own.
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

// A signature is half of a login: it must not reach a log.
impl fmt::Debug for SignedDigests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedDigests({})", self.0.len())
    }
}
