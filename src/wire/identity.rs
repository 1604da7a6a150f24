//! What one end of a connection authenticates itself with.

use std::path::Path;

use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::pem_file::{PemError, load_chain, load_key};

/// A certificate chain and its private key.
#[derive(Debug)]
pub struct TlsIdentity {
    /// The end's own certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key of the first certificate.
    pub key: PrivateKeyDer<'static>,
}

impl TlsIdentity {
    /// Reads both files.
    ///
    /// # Errors
    ///
    /// If the certificates or the key cannot be read. Whether they belong together is not checked here.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, PemError> {
        Ok(Self { chain: load_chain(certificate)?, key: load_key(key)? })
    }
}
