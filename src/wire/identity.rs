//! A certificate chain and the private key that it is about, from PEM files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// What one end of a connection proves itself with.
#[derive(Debug)]
pub struct TlsIdentity {
    /// The end's own certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key of the first certificate.
    pub key: PrivateKeyDer<'static>,
}

/// Why files give no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// It is not there, is a directory, or may not be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Of the file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no PEM certificate in it.
    #[error("{}: no PEM certificate in the file", .0.display())]
    NoCertificate(PathBuf),
    /// There is no PEM private key in it.
    #[error("{}: no PEM private key in the file", .0.display())]
    NoKey(PathBuf),
    /// The key needs a pass phrase, and nobody would be asked for it.
    #[error("{}: the private key is encrypted; store it without a pass phrase", .0.display())]
    EncryptedKey(PathBuf),
}

impl TlsIdentity {
    /// Reads both files.
    ///
    /// # Errors
    ///
    /// If one of them does not hold what it should.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, IdentityError> {
        Ok(Self { chain: load_chain(certificate)?, key: load_key(key)? })
    }
}

/// Reads the certificates of a PEM file, at least one.
///
/// # Errors
///
/// If there is none.
pub fn load_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let text = read(path)?;
    match CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>() {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) | Err(_) => Err(IdentityError::NoCertificate(path.to_owned())),
    }
}

/// Reads the private key of a PEM file.
///
/// # Errors
///
/// If there is none, or one that needs a pass phrase.
pub fn load_key(path: &Path) -> Result<PrivateKeyDer<'static>, IdentityError> {
    let text = zeroize::Zeroizing::new(read(path)?);
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        if text.windows(9).any(|word| word == b"ENCRYPTED") {
            IdentityError::EncryptedKey(path.to_owned())
        } else {
            IdentityError::NoKey(path.to_owned())
        }
    })
}

fn read(path: &Path) -> Result<Vec<u8>, IdentityError> {
    fs::read(path).map_err(|source| IdentityError::Unreadable { path: path.to_owned(), source })
}
