//! Signatures of hashes.

mod dsa;
mod ecdsa;
mod rsa;

use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA224, SHA256, SHA384, SHA512};

use crate::protocol::key::{Hash, SignMechanism, SignScheme};

/// The key, the mechanism and the length of the hash do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key does not fit the mechanism")]
pub struct Unfit;

/// Why a signature is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotVerified {
    /// Nothing was checked.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// Not made with this key of this hash, or not a signature at all.
    #[error("the signature is wrong")]
    Wrong,
}

/// Signs a hash with a private key in PKCS #8. An RSA signature is as long as the modulus; the others are DER.
///
/// # Errors
///
/// If the key, the mechanism and the hash do not go together, or the library fails.
pub fn sign(pkcs8: &[u8], mechanism: SignMechanism, hash: &[u8]) -> Result<Vec<u8>, Unfit> {
    must_be_as_long(mechanism.hash, hash)?;
    match mechanism.scheme {
        SignScheme::RsaPkcs => rsa::sign_pkcs1(pkcs8, mechanism.hash, hash),
        SignScheme::RsaPss => rsa::sign_pss(pkcs8, mechanism.hash, hash),
        SignScheme::Ecdsa => ecdsa::sign(pkcs8, hash),
        SignScheme::Dsa => dsa::sign(pkcs8, hash),
    }
}

/// Checks a signature of a hash with a public key as SubjectPublicKeyInfo.
///
/// # Errors
///
/// If the signature is wrong, or could not be checked.
pub fn verify(
    spki: &[u8],
    mechanism: SignMechanism,
    hash: &[u8],
    signature: &[u8],
) -> Result<(), NotVerified> {
    must_be_as_long(mechanism.hash, hash)?;
    match mechanism.scheme {
        SignScheme::RsaPkcs => rsa::verify_pkcs1(spki, mechanism.hash, hash, signature),
        SignScheme::RsaPss => rsa::verify_pss(spki, mechanism.hash, hash, signature),
        SignScheme::Ecdsa => ecdsa::verify(spki, hash, signature),
        SignScheme::Dsa => dsa::verify(spki, hash, signature),
    }
}

fn must_be_as_long(function: Hash, hash: &[u8]) -> Result<(), Unfit> {
    if hash.len() == function.bytes() { Ok(()) } else { Err(Unfit) }
}

fn algorithm(hash: Hash) -> &'static digest::Algorithm {
    match hash {
        Hash::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha224 => &SHA224,
        Hash::Sha256 => &SHA256,
        Hash::Sha384 => &SHA384,
        Hash::Sha512 => &SHA512,
    }
}
