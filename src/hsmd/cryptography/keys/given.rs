//! Values from outside.

use aws_lc_rs::error::{KeyRejected, Unspecified};

use super::{Fresh, dsa, ec, encoding, rsa, symmetric};
use crate::protocol::key::KeyType;

/// Bytes that are not a key, or one of another kind or size than an HSM holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a key of a kind and size that an HSM holds")]
pub struct NotAKey;

impl From<Unspecified> for NotAKey {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

impl From<KeyRejected> for NotAKey {
    fn from(_: KeyRejected) -> Self {
        Self
    }
}

impl From<der::Error> for NotAKey {
    fn from(_: der::Error) -> Self {
        Self
    }
}

/// A symmetric key: AES of 16, 24 or 32 bytes, 3DES of 24 bytes, a generic secret of 1 to 3584 bytes. The parity bits
/// of a 3DES key may be any, but its three parts must differ, and none may be a weak DES key.
///
/// # Errors
///
/// If the type is another one, or has no key of this length.
pub fn secret(key_type: KeyType, value: &[u8]) -> Result<Fresh, NotAKey> {
    symmetric::key(key_type, value)
}

/// A private key of this type in PKCS #8: RSA of 2048 to 4096 bits with an odd public exponent from 65537 to
/// 2147483647, EC on P-256, P-384, P-521 or secp256k1, DSA with a prime of 2048 or 3072 bits. The encoding may be any
/// that DER allows; the value of the key is the one that the HSM would have written.
///
/// # Errors
///
/// If the bytes are anything else, or the numbers in them are no key.
pub fn private(key_type: KeyType, pkcs8: &[u8]) -> Result<Fresh, NotAKey> {
    let (kind, bare) = encoding::bare_private_key(pkcs8)?;
    match kind {
        _ if kind != key_type => Err(NotAKey),
        KeyType::Rsa => rsa::private(&bare),
        KeyType::Ec => ec::private(&bare),
        KeyType::Dsa => dsa::private(&bare),
        KeyType::GenericSecret | KeyType::TripleDes | KeyType::Aes => Err(NotAKey),
    }
}

/// A public key as SubjectPublicKeyInfo, of the same kinds. The point of an EC key must be uncompressed: no library
/// here decompresses one on all four curves.
///
/// # Errors
///
/// If the bytes are anything else, or the numbers in them are no key.
pub fn public(spki: &[u8]) -> Result<Fresh, NotAKey> {
    let key = encoding::public_key(spki)?;
    match encoding::kind(key.algorithm.oid)? {
        KeyType::Rsa => rsa::public(spki),
        KeyType::Ec => ec::public(spki, &key),
        KeyType::Dsa => dsa::public(&key),
        KeyType::GenericSecret | KeyType::TripleDes | KeyType::Aes => Err(NotAKey),
    }
}
