//! The client's end of TLS: rustls with a certificate verifier of our own.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WantsClientCert};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, DistinguishedName, Error,
    OtherError, SignatureScheme,
};

use super::anchor::Anchor;
use super::certificate::{self, Distrust};
use super::identity::TlsIdentity;

/// Whom a connection accepts as an HSM of the cluster.
#[derive(Clone, Debug)]
pub enum Trust {
    /// A server that holds a key for which this CA vouches.
    Owner(Anchor),
    /// Any server: nothing it sends is trusted, and nothing secret may be sent to it.
    Nobody,
}

/// TLS 1.3 with our verifier.
///
/// # Errors
///
/// If rustls does not accept the client certificate and its key, or they do not belong together.
pub fn client_config(trust: Trust, identity: Option<&TlsIdentity>) -> Result<ClientConfig, Error> {
    let config = trusting(trust)?;
    Ok(finished(match identity {
        Some(identity) => config.with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())?,
        None => config.with_no_client_auth(),
    }))
}

/// As [`client_config`], for an HSM that connects to another one of its cluster. If that requires client certificates,
/// it presents the cluster's, which need not be of X.509 version 3.
///
/// # Errors
///
/// If rustls has no TLS 1.3.
pub fn member_config(anchor: Anchor, cluster: CertifiedKey) -> Result<ClientConfig, Error> {
    let resolver = Arc::new(SingleCertAndKey::from(cluster));
    Ok(finished(trusting(Trust::Owner(anchor))?.with_client_cert_resolver(resolver)))
}

fn trusting(trust: Trust) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(Verifier { trust, provider: Arc::clone(&provider) });
    let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13])?;
    Ok(config.dangerous().with_custom_certificate_verifier(verifier))
}

fn finished(mut config: ClientConfig) -> ClientConfig {
    // A resumed handshake sends no certificate, so the verifier would not run: a certificate that has expired, or
    // another customerCA.crt since, would go unnoticed.
    config.resumption = Resumption::disabled();
    // The server name is a placeholder, and a cluster's certificate names no host.
    config.enable_sni = false;
    config
}

/// Why a client certificate and its key cannot be used for connections.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Unusable {
    #[error("the private key is not the certificate's")]
    OtherKey,
    /// The kind of key is unknown, or the certificate is not X.509 version 3.
    #[error("no usable client certificate and key ({0})")]
    Unsupported(Error),
}

/// Checks a client certificate before a configuration file names it.
///
/// # Errors
///
/// If no connection could be made with it.
pub fn check(identity: &TlsIdentity) -> Result<(), Unusable> {
    match client_config(Trust::Nobody, Some(identity)) {
        Ok(_) => Ok(()),
        Err(Error::InconsistentKeys(_)) => Err(Unusable::OtherKey),
        Err(error) => Err(Unusable::Unsupported(error)),
    }
}

/// Why the verifier distrusted the server, if that is what the error is about.
pub(super) fn distrust(error: &Error) -> Option<Distrust> {
    let Error::InvalidCertificate(error) = error else { return None };
    match error {
        CertificateError::Other(OtherError(other)) => other.downcast_ref::<Distrust>().cloned(),
        _ => Some(Distrust::Malformed),
    }
}

#[derive(Debug)]
struct Verifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Trust::Owner(anchor) = &self.trust {
            let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
            anchor.check(end_entity, now).map_err(invalid)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    // TLS 1.2 is not offered: this is never called.
    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(invalid(Distrust::KeyNotProved))
    }

    // The certificate alone proves nothing, as anyone can send a copy of it: this signature over the handshake
    // proves that the server holds its key. rustls's own function cannot parse a certificate of version 1, so the
    // public key is taken out here.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.supported_verify_schemes().contains(&signature.scheme) {
            return Err(invalid(Distrust::KeyNotProved));
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_raw(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn verify_raw(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let certificate = certificate::parse(certificate).map_err(invalid)?;
    let key = SubjectPublicKeyInfoDer::from(certificate.public_key().raw);
    verify_tls13_signature_with_raw_key(message, &key, signature, algorithms)
        .map_err(|_| invalid(Distrust::KeyNotProved))
}

/// Whom an HSM accepts that requires client certificates: those who have one, and the other HSMs of its cluster, which
/// have the cluster's.
#[derive(Debug)]
pub struct ClientsAndMembers {
    /// The certificates of clients.
    pub clients: Arc<dyn ClientCertVerifier>,
    /// The cluster's certificate. Its key is proved by the handshake.
    pub cluster: CertificateDer<'static>,
}

impl ClientCertVerifier for ClientsAndMembers {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.clients.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if *end_entity == self.cluster {
            return Ok(ClientCertVerified::assertion());
        }
        self.clients.verify_client_cert(end_entity, intermediates, now)
    }

    // TLS 1.2 is not offered: this is never called.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.clients.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if *certificate == self.cluster {
            let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
            return verify_raw(message, certificate, signature, &algorithms);
        }
        self.clients.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.clients.supported_verify_schemes()
    }
}

fn invalid(reason: Distrust) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(reason))))
}
