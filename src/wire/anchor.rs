//! The owner's CA certificate, `customerCA.crt`: the console's trust anchor.

use std::path::{Path, PathBuf};

use super::certificate::{self, Distrust};
use super::pem_file::{self, PemError};

/// A self-signed CA certificate, its signature verified.
#[derive(Clone, Debug)]
pub struct Anchor(Vec<u8>);

/// Why a file cannot be the trust anchor.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// The original's words.
    #[error("partition owner certificate not exist at given path")]
    Missing(PathBuf),
    /// It does not hold exactly one certificate, or that certificate is unusable.
    #[error(transparent)]
    File(#[from] PemError),
    /// For instance, the cluster's own certificate instead of the CA's.
    #[error("{}: not a self-signed CA certificate", .0.display())]
    NotSelfSigned(PathBuf),
}

impl Anchor {
    /// Reads `customerCA.crt`.
    ///
    /// # Errors
    ///
    /// If the file does not hold exactly one self-signed certificate.
    pub fn load(path: &Path) -> Result<Self, AnchorError> {
        match pem_file::load_only(path) {
            Ok(der) => Self::from_der(&der, path),
            Err(PemError::Unreadable(error)) if error.is_missing() => {
                Err(AnchorError::Missing(path.to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    /// Whether this CA vouches, at `now` (seconds since 1970), for the key of a cluster certificate.
    ///
    /// # Errors
    ///
    /// The first check that failed.
    pub fn check(&self, certificate: &[u8], now: i64) -> Result<(), Distrust> {
        certificate::check(&certificate::parse(&self.0)?, &certificate::parse(certificate)?, now)
    }

    /// Whether the holder of a key that this CA vouches for, at `now`, has signed a message.
    ///
    /// # Errors
    ///
    /// The first check that failed.
    pub fn check_message(
        &self,
        certificate: &[u8],
        message: &[u8],
        signature: &[u8],
        now: i64,
    ) -> Result<(), Distrust> {
        self.check(certificate, now)?;
        certificate::check_message(&certificate::parse(certificate)?, message, signature)
    }

    /// Takes a certificate; `path` is only for errors.
    ///
    /// # Errors
    ///
    /// If it is not self-signed.
    pub fn from_der(der: &[u8], path: &Path) -> Result<Self, AnchorError> {
        let unusable = |source| PemError::Unusable(path.to_owned(), source);
        let ca = certificate::parse(der).map_err(unusable)?;
        if ca.issuer().as_raw() != ca.subject().as_raw() {
            return Err(AnchorError::NotSelfSigned(path.to_owned()));
        }
        certificate::check_signature(ca.public_key(), &ca).map_err(unusable)?;
        Ok(Self(der.to_vec()))
    }
}
