//! Public keys in PEM.

use crate::files::{self, NotWritten, Readers, Unreadable, read_text};

/// Why a text is not a public key.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum NotAPublicKey {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("not a public key in PEM (BEGIN PUBLIC KEY)")]
    NotPem,
    #[error("a private key; the public key is needed")]
    Private,
}

/// Larger than any key's file, in bytes.
const MAX_FILE: u64 = 64 * 1024;

/// Whether a public key may be written to a file: nothing but another public key may be replaced.
///
/// # Errors
///
/// If something is there that should not be lost, such as the private key.
pub fn must_be_free(path: &str) -> Result<(), NotWritten> {
    files::must_be_free(path, "a public key", |_| load(path).is_ok())
}

/// Writes a public key in PEM.
///
/// # Errors
///
/// If it cannot be written.
pub fn write(path: &str, pem: &str) -> Result<(), NotWritten> {
    Ok(files::write(path, pem.as_bytes(), Readers::Everybody)?)
}

/// Reads the key of a file, as SubjectPublicKeyInfo in DER.
///
/// # Errors
///
/// If the file is not a public key.
pub fn load(path: &str) -> Result<Vec<u8>, NotAPublicKey> {
    parse(&read_text(path, MAX_FILE)?)
}

/// The key of a text, as SubjectPublicKeyInfo in DER.
///
/// # Errors
///
/// If the text is not a public key.
pub fn parse(text: &str) -> Result<Vec<u8>, NotAPublicKey> {
    if text.contains("PRIVATE KEY-----") {
        return Err(NotAPublicKey::Private);
    }
    match pem::parse(text) {
        Ok(block) if block.tag() == "PUBLIC KEY" => Ok(block.into_contents()),
        Ok(_) | Err(_) => Err(NotAPublicKey::NotPem),
    }
}
