//! Certificates and private keys in PEM files.

use std::path::{Path, PathBuf};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::certificate::Distrust;
use crate::files::{self, UnreadableFile, unreadable};

/// Why a file does not yield a certificate or key.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum PemError {
    /// It is missing, not a file, or not readable.
    #[error(transparent)]
    Unreadable(#[from] UnreadableFile),
    #[error("{}: no PEM certificate in the file", .0.display())]
    NoCertificate(PathBuf),
    /// Which of them is meant?
    #[error("{path}: {1} certificates in the file, one expected", path = .0.display())]
    Several(PathBuf, usize),
    #[error("{path}: {1}", path = .0.display())]
    Unusable(PathBuf, Distrust),
    #[error("{}: no PEM private key in the file", .0.display())]
    NoKey(PathBuf),
    /// No program here asks for a pass phrase: HSMs and scripts start unattended.
    #[error("{}: the private key is encrypted; store it without a pass phrase", .0.display())]
    EncryptedKey(PathBuf),
}

/// Larger than any chain of certificates.
const MAX_FILE: u64 = 1024 * 1024;

/// Reads the certificates in a file, at least one.
///
/// # Errors
///
/// If there is none.
pub fn load_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, PemError> {
    chain(path, &files::read(path, MAX_FILE).map_err(unreadable(path))?)
}

/// Reads the one certificate in a file.
///
/// # Errors
///
/// If there is none, or more than one.
pub fn load_only(path: &Path) -> Result<CertificateDer<'static>, PemError> {
    only(path, &files::read(path, MAX_FILE).map_err(unreadable(path))?)
}

fn chain(path: &Path, content: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    match CertificateDer::pem_slice_iter(content).collect::<Result<Vec<_>, _>>() {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) | Err(_) => Err(PemError::NoCertificate(path.to_owned())),
    }
}

/// As [`load_only`], from a file's content.
///
/// # Errors
///
/// As there.
pub fn only(path: &Path, content: &[u8]) -> Result<CertificateDer<'static>, PemError> {
    match <[_; 1]>::try_from(chain(path, content)?) {
        Ok([only]) => Ok(only),
        Err(chain) => Err(PemError::Several(path.to_owned(), chain.len())),
    }
}

/// Reads the private key in a file.
///
/// # Errors
///
/// If there is none, or it is encrypted.
pub fn load_key(path: &Path) -> Result<PrivateKeyDer<'static>, PemError> {
    let text = Zeroizing::new(files::read(path, MAX_FILE).map_err(unreadable(path))?);
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        if text.windows(9).any(|word| word == b"ENCRYPTED") {
            PemError::EncryptedKey(path.to_owned())
        } else {
            PemError::NoKey(path.to_owned())
        }
    })
}
