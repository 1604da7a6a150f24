//! The owner's CA certificate, `customerCA.crt`: what a console trusts.

use std::path::{Path, PathBuf};

use super::certificate::{self, Distrust};
use super::pem_file::{self, PemError};

/// A CA certificate that was read and signs itself.
#[derive(Clone, Debug)]
pub struct Anchor(Vec<u8>);

/// Why a file gives no CA certificate.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// There is no such file.
    #[error("partition owner certificate not exist at given path")]
    Missing(PathBuf),
    /// It does not hold exactly one certificate, or one that nobody should trust.
    #[error(transparent)]
    File(#[from] PemError),
    /// The cluster's own certificate, for instance, instead of the CA's.
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

    /// The certificate.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    /// Whether this CA vouches, at `now` (seconds since 1970), for the key of a cluster certificate.
    ///
    /// # Errors
    ///
    /// The first thing found wrong.
    pub fn check(&self, certificate: &[u8], now: i64) -> Result<(), Distrust> {
        certificate::check(&certificate::parse(&self.0)?, &certificate::parse(certificate)?, now)
    }

    /// Takes a certificate; `path` is only for errors.
    ///
    /// # Errors
    ///
    /// If it does not sign itself.
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
