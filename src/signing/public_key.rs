//! Public keys in PEM.

use super::file::{Unreadable, read_text};

/// Why a text is no public key.
#[derive(Debug, thiserror::Error)]
pub enum NotAPublicKey {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// There is no such block in it.
    #[error("not a public key in PEM (BEGIN PUBLIC KEY)")]
    NotPem,
    /// It holds what nobody else may have.
    #[error("a private key; the public key is needed")]
    Private,
}

/// Bytes of the largest file that could be one.
const MAX_FILE: u64 = 64 * 1024;

/// The key of a file, as SubjectPublicKeyInfo in DER.
///
/// # Errors
///
/// If there is none.
pub fn load(path: &str) -> Result<Vec<u8>, NotAPublicKey> {
    parse(&read_text(path, MAX_FILE)?)
}

/// The key of a text.
///
/// # Errors
///
/// If there is none.
pub fn parse(text: &str) -> Result<Vec<u8>, NotAPublicKey> {
    if text.contains("PRIVATE KEY-----") {
        return Err(NotAPublicKey::Private);
    }
    match pem::parse(text) {
        Ok(block) if block.tag() == "PUBLIC KEY" => Ok(block.into_contents()),
        Ok(_) | Err(_) => Err(NotAPublicKey::NotPem),
    }
}
