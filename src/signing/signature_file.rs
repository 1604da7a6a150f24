//! Files of signatures.

use crate::files::{Unreadable, read};
use crate::protocol::quorum::SIGNATURE;

/// What is wrong with a file that should hold a signature.
#[derive(Debug, thiserror::Error)]
pub enum NoSignature {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Cut, in Base64, or something else.
    #[error("{0} bytes, a signature has {SIGNATURE}")]
    Length(usize),
}

/// Bytes of the largest file that is read, to tell its length.
const MAX_FILE: u64 = 64 * 1024;

/// The signature of a file.
///
/// # Errors
///
/// If it cannot be read or has another length.
pub fn load(path: &str) -> Result<Vec<u8>, NoSignature> {
    let signature = read(path, MAX_FILE)?;
    match signature.len() {
        SIGNATURE => Ok(signature),
        length => Err(NoSignature::Length(length)),
    }
}
