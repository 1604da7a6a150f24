//! Public keys in PEM.

use std::fs;

use crate::files::{Unreadable, metadata_to_replace, read_text};

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

/// Why a public key cannot be written to a file.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    /// It would be lost: the private key, perhaps.
    #[error("exists, and is no public key")]
    InTheWay,
    /// The system says so.
    #[error(transparent)]
    System(#[from] Unreadable),
}

/// Whether a public key may be written to a file: in place of another, and of nothing else.
///
/// # Errors
///
/// If something is there that should not be lost.
pub fn must_be_free(path: &str) -> Result<(), NotWritten> {
    match metadata_to_replace(path)? {
        None => Ok(()),
        Some(there) if there.len() == 0 => Ok(()),
        Some(_) => load(path).map(|_| ()).map_err(|_| NotWritten::InTheWay),
    }
}

/// Writes a public key in PEM.
///
/// # Errors
///
/// What the system says.
pub fn write(path: &str, pem: &str) -> Result<(), NotWritten> {
    Ok(fs::write(path, pem).map_err(Unreadable::from)?)
}

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
