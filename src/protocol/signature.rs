//! Signatures: made with private keys, checked with public ones.

use serde::{Deserialize, Serialize};

use super::about::About;
use super::key::KeyType;
use super::key_handle::KeyHandle;

/// Signs with a private key that the caller may use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sign {
    /// A private key with OBJ_ATTR_SIGN.
    pub handle: KeyHandle,
    /// It must fit the key.
    pub mechanism: SignMechanism,
    /// The hash of what is signed, as long as the mechanism's hash is.
    pub hash: Vec<u8>,
}

impl About for Sign {
    fn key(&self) -> Option<KeyHandle> {
        Some(self.handle)
    }
}

/// Checks a signature with a public key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Verify {
    /// A public key with OBJ_ATTR_VERIFY.
    pub handle: KeyHandle,
    /// It must fit the key.
    pub mechanism: SignMechanism,
    /// The hash of what was signed, as long as the mechanism's hash is.
    pub hash: Vec<u8>,
    /// Encoded as the mechanism's scheme has it.
    pub signature: Vec<u8>,
}

impl About for Verify {}

/// How to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignMechanism {
    /// It decides which kind of key is needed.
    pub scheme: SignScheme,
    /// It hashed what is signed.
    pub hash: Hash,
}

/// How a hash is signed. New ones go to the end: the order is the wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignScheme {
    /// RSA, PKCS #1 v1.5.
    RsaPkcs,
    /// RSA, PSS; the salt is as long as the hash.
    RsaPss,
    /// Elliptic curves; the signature is in DER.
    Ecdsa,
    /// DSA; the signature is in DER.
    Dsa,
}

impl SignScheme {
    /// The type of key that it needs.
    #[must_use]
    pub fn key_type(self) -> KeyType {
        match self {
            Self::RsaPkcs | Self::RsaPss => KeyType::Rsa,
            Self::Ecdsa => KeyType::Ec,
            Self::Dsa => KeyType::Dsa,
        }
    }
}

/// A hash function. New ones go to the end: the order is the wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "FIPS 180-4 has the names")]
pub enum Hash {
    Sha256,
    Sha384,
    Sha512,
    Sha1,
    Sha224,
}

impl Hash {
    /// The length of a hash.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// What [`Sign`] returns, encoded as its scheme has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature(pub Vec<u8>);
