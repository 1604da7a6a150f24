//! The owner's CA certificate, `customerCA.crt`: what a console trusts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::certificate::{self, Distrust};

/// A CA certificate that was read and signs itself.
#[derive(Clone, Debug)]
pub struct Anchor(Vec<u8>);

/// Why a file gives no CA certificate.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// There is no such file.
    #[error("partition owner certificate not exist at given path")]
    Missing(PathBuf),
    /// It is a directory, or may not be read.
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
    /// Which one is meant?
    #[error("{}: {count} certificates in the file, one expected", path.display())]
    Several {
        /// Of the file.
        path: PathBuf,
        /// How many there are.
        count: usize,
    },
    /// The cluster's own certificate, for instance, instead of the CA's.
    #[error("{}: not a self-signed CA certificate", .0.display())]
    NotSelfSigned(PathBuf),
    /// It is no certificate, or one that nobody should trust.
    #[error("{}: {source}", path.display())]
    Unusable {
        /// Of the file.
        path: PathBuf,
        /// What is wrong with it.
        source: Distrust,
    },
}

impl Anchor {
    /// Reads `customerCA.crt`.
    ///
    /// # Errors
    ///
    /// If the file does not hold exactly one self-signed certificate.
    pub fn load(path: &Path) -> Result<Self, AnchorError> {
        let text = read_file(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => AnchorError::Missing(path.to_owned()),
            _ => AnchorError::Unreadable { path: path.to_owned(), source },
        })?;
        let mut certificates: Vec<_> = CertificateDer::pem_slice_iter(&text)
            .collect::<Result<_, _>>()
            .map_err(|_| AnchorError::NoCertificate(path.to_owned()))?;
        match (certificates.pop(), certificates.len()) {
            (None, _) => Err(AnchorError::NoCertificate(path.to_owned())),
            (Some(only), 0) => Self::from_der(&only, path),
            (Some(_), more) => {
                Err(AnchorError::Several { path: path.to_owned(), count: more.saturating_add(1) })
            }
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
        let unusable = |source| AnchorError::Unusable { path: path.to_owned(), source };
        let ca = certificate::parse(der).map_err(unusable)?;
        if ca.issuer().as_raw() != ca.subject().as_raw() {
            return Err(AnchorError::NotSelfSigned(path.to_owned()));
        }
        certificate::check_signature(ca.public_key(), &ca).map_err(unusable)?;
        Ok(Self(der.to_vec()))
    }
}

/// Reads a file that is one: a pipe could make the console wait for ever.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    match fs::metadata(path)? {
        metadata if metadata.is_file() => fs::read(path),
        metadata if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        _ => Err(io::Error::other("not a file")),
    }
}
