//! New keys.

use super::{Fresh, NotAKey, dsa, ec, rsa, symmetric};
use crate::protocol::key::{KeySpec, KeyType};

/// The size is none that keys are made in, or the library failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key could not be made")]
pub struct NotGenerated;

impl From<NotAKey> for NotGenerated {
    fn from(_: NotAKey) -> Self {
        Self
    }
}

/// Makes a key, or a key pair with the public key first. An RSA pair of 4096 bits or a DSA pair can take seconds.
///
/// # Errors
///
/// If there is no such size or exponent, or the library cannot.
pub fn generate(spec: KeySpec) -> Result<Vec<Fresh>, NotGenerated> {
    Ok(match spec {
        KeySpec::Aes { bytes } => vec![symmetric::random(KeyType::Aes, bytes)?],
        KeySpec::GenericSecret { bytes } => vec![symmetric::random(KeyType::GenericSecret, bytes)?],
        KeySpec::TripleDes => vec![symmetric::random(KeyType::TripleDes, 24)?],
        KeySpec::Rsa { bits } => rsa::pair(bits, rsa::USUAL_EXPONENT)?.into(),
        KeySpec::RsaWithExponent { bits, exponent } => rsa::pair(bits, exponent)?.into(),
        KeySpec::Ec(curve) => ec::pair(curve)?.into(),
        KeySpec::Dsa { bits } => dsa::pair(bits)?.into(),
    })
}
