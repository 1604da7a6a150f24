//! Signs what the HSM says of its keys.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;
use rustls::{Error, SignatureScheme};

/// Signs statements with the cluster's key, which also proves to TLS clients whose HSM this is.
#[derive(Clone)]
pub struct Attester(Arc<dyn SigningKey>);

/// One for each kind of key, so that the certificate says how to verify: see [`check_message`].
///
/// [`check_message`]: crate::wire::certificate::check_message
const SCHEMES: [SignatureScheme; 5] = [
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::ED25519,
    SignatureScheme::RSA_PSS_SHA256,
];

impl Attester {
    /// Signs with this key.
    ///
    /// # Errors
    ///
    /// If rustls does not support this kind of key.
    pub fn new(cluster_key: &PrivateKeyDer<'_>) -> Result<Self, Error> {
        any_supported_type(cluster_key).map(Self)
    }

    /// The key, for the TLS connections that the HSM opens.
    pub(in crate::hsmd) fn key(&self) -> Arc<dyn SigningKey> {
        Arc::clone(&self.0)
    }

    /// The signature; `None` if the library fails.
    #[must_use]
    pub fn sign(&self, statement: &[u8]) -> Option<Vec<u8>> {
        self.0.choose_scheme(&SCHEMES)?.sign(statement).ok()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{
        CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
        PKCS_RSA_SHA256, RsaKeySize, SigningKey,
    };
    use rustls::pki_types::PrivateKeyDer;

    use super::Attester;
    use crate::wire::certificate::{Distrust, check_message, parse};

    #[test]
    fn whatever_kind_of_key_a_cluster_has_its_certificate_verifies_what_it_signs() {
        for key in [
            KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(),
            KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap(),
            KeyPair::generate_for(&PKCS_ED25519).unwrap(),
            KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap(),
        ] {
            let certificate = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
            let certificate = parse(certificate.der()).unwrap();
            let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            let signature = Attester::new(&private).unwrap().sign(b"statement").unwrap();
            assert_eq!(check_message(&certificate, b"statement", &signature), Ok(()));
            assert_eq!(check_message(&certificate, b"statemenu", &signature), Err(Distrust::Signature));
            if let Ok(other) = key.sign(b"statement") {
                // Certificates of RSA keys are signed in another way: neither signature passes for the other.
                let is_rsa = key.algorithm() == &PKCS_RSA_SHA256;
                assert_eq!(check_message(&certificate, b"statement", &other).is_err(), is_rsa);
            }
        }
    }
}
