//! Signature files.

use crate::files::{Unreadable, read};
use crate::protocol::quorum::SIGNATURE;

/// Why a file is not a signature.
#[derive(Debug, thiserror::Error)]
pub enum NoSignature {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Truncated, Base64, or something else.
    #[error("{0} bytes; a signature has {SIGNATURE}")]
    Length(usize),
}

/// Up to here the error message says how large the file is, in bytes.
const MAX_FILE: u64 = 64 * 1024;

/// Reads the signature in a file.
///
/// # Errors
///
/// If it cannot be read or has the wrong length.
pub fn load(path: &str) -> Result<Vec<u8>, NoSignature> {
    let signature = read(path, MAX_FILE)?;
    match signature.len() {
        SIGNATURE => Ok(signature),
        length => Err(NoSignature::Length(length)),
    }
}
