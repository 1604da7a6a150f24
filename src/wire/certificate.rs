//! Whether the owner's CA vouches for a cluster's key.
//!
//! The cluster certificate is what `openssl x509 -req` makes from the cluster's CSR: X.509 version 1, without a
//! name that a host could be checked against. webpki, rustls's own verifier, refuses version 1, so all checks are
//! here: strict DER, issuer, signature (SHA-2 only), dates, and a subject that only an HSM has.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use der::asn1::{AnyRef, BitStringRef};
use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls_pki_types::PrivateKeyDer;
use x509_parser::asn1_rs;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

/// Prefix of a cluster certificate's common name. Without this check the holder of any certificate from the same
/// CA, a client's for instance, could pose as an HSM.
pub const SUBJECT: &str = "HSM:";

/// Why a certificate does not prove that the other end belongs to the owner's cluster. The first four messages
/// are OpenSSL's, as in the only line of this kind that is known of the original.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Distrust {
    /// The CA's key did not make the signature: another cluster's CA, or a forgery.
    #[error("Certificate signature failure")]
    Signature,
    #[error("unable to get local issuer certificate")]
    Issuer,
    #[error("certificate has expired")]
    Expired,
    /// Or the clock is wrong.
    #[error("certificate is not yet valid")]
    NotYetValid,
    /// The CA signed it for something other than an HSM.
    #[error("subject is not an HSM's")]
    Subject,
    /// SHA-1, MD5, or a combination of key and hash that is not supported.
    #[error("unsupported signature algorithm {0}")]
    Algorithm(String),
    /// Not strict DER, not X.509, or with bytes that the signature does not cover.
    #[error("malformed certificate")]
    Malformed,
    /// The certificate is valid, but the handshake was not signed with its key.
    #[error("the server does not hold the cluster's key")]
    KeyNotProved,
}

/// Parses a certificate; trailing bytes are an error.
///
/// # Errors
///
/// [`Distrust::Malformed`].
pub fn parse(der: &[u8]) -> Result<X509Certificate<'_>, Distrust> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) if has_strict_frame(der) => Ok(certificate),
        Ok(_) | Err(_) => Err(Distrust::Malformed),
    }
}

/// Whether `ca` vouches, at `now` (seconds since 1970), that the key in `certificate` is a cluster's.
///
/// # Errors
///
/// The first check that failed.
pub fn check(ca: &X509Certificate<'_>, certificate: &X509Certificate<'_>, now: i64) -> Result<(), Distrust> {
    if certificate.issuer().as_raw() != ca.subject().as_raw() {
        return Err(Distrust::Issuer);
    }
    check_signature(ca.public_key(), certificate)?;
    check_dates(ca, now)?;
    check_dates(certificate, now)?;
    let is_hsm = |name: &str| name.starts_with(SUBJECT);
    let mut names = certificate.subject().iter_common_name();
    if names.next().and_then(|name| name.as_str().ok()).is_some_and(is_hsm) && names.next().is_none() {
        Ok(())
    } else {
        Err(Distrust::Subject)
    }
}

/// Verifies the signature on a certificate with the issuer's public key.
///
/// # Errors
///
/// [`Distrust::Signature`] or [`Distrust::Algorithm`].
pub fn check_signature(
    key: &SubjectPublicKeyInfo<'_>,
    certificate: &X509Certificate<'_>,
) -> Result<(), Distrust> {
    let algorithm = algorithm(key, certificate)?;
    UnparsedPublicKey::new(algorithm, &key.subject_public_key.data)
        .verify(certificate.tbs_certificate.as_ref(), &certificate.signature_value.data)
        .map_err(|_| Distrust::Signature)
}

/// Verifies an HSM's signature of a message with the key of its certificate: the kind of key says how it signs.
///
/// # Errors
///
/// [`Distrust::Signature`] or [`Distrust::Algorithm`].
pub fn check_message(
    certificate: &X509Certificate<'_>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), Distrust> {
    let key = certificate.public_key();
    let kind = key.algorithm.algorithm.to_id_string();
    let algorithm: &'static dyn VerificationAlgorithm = match (kind.as_str(), curve(key).as_deref()) {
        ("1.2.840.113549.1.1.1", None) => &RSA_PSS_2048_8192_SHA256,
        ("1.2.840.10045.2.1", Some("1.2.840.10045.3.1.7")) => &ECDSA_P256_SHA256_ASN1,
        ("1.2.840.10045.2.1", Some("1.3.132.0.34")) => &ECDSA_P384_SHA384_ASN1,
        ("1.2.840.10045.2.1", Some("1.3.132.0.35")) => &ECDSA_P521_SHA512_ASN1,
        ("1.3.101.112", None) => &ED25519,
        _ => return Err(Distrust::Algorithm(kind)),
    };
    UnparsedPublicKey::new(algorithm, &key.subject_public_key.data)
        .verify(message, signature)
        .map_err(|_| Distrust::Signature)
}

/// Whether a certificate's public key belongs to a private key.
#[must_use]
pub fn is_about(certificate: &[u8], key: &PrivateKeyDer<'_>) -> bool {
    let key = any_supported_type(key).ok().and_then(|key| Some(key.public_key()?.to_vec()));
    parse(certificate).is_ok_and(|certificate| key.is_some_and(|key| key == certificate.public_key().raw))
}

/// Checks the validity period.
///
/// # Errors
///
/// [`Distrust::Expired`] or [`Distrust::NotYetValid`].
pub fn check_dates(certificate: &X509Certificate<'_>, now: i64) -> Result<(), Distrust> {
    if now > certificate.validity().not_after.timestamp() {
        Err(Distrust::Expired)
    } else if now < certificate.validity().not_before.timestamp() {
        Err(Distrust::NotYetValid)
    } else {
        Ok(())
    }
}

fn algorithm(
    key: &SubjectPublicKeyInfo<'_>,
    certificate: &X509Certificate<'_>,
) -> Result<&'static dyn VerificationAlgorithm, Distrust> {
    let signature = certificate.signature_algorithm.algorithm.to_id_string();
    let algorithm: &'static dyn VerificationAlgorithm = match (signature.as_str(), curve(key).as_deref()) {
        ("1.2.840.113549.1.1.11", None) => &RSA_PKCS1_2048_8192_SHA256,
        ("1.2.840.113549.1.1.12", None) => &RSA_PKCS1_2048_8192_SHA384,
        ("1.2.840.113549.1.1.13", None) => &RSA_PKCS1_2048_8192_SHA512,
        ("1.2.840.10045.4.3.2", Some("1.2.840.10045.3.1.7")) => &ECDSA_P256_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", Some("1.2.840.10045.3.1.7")) => &ECDSA_P256_SHA384_ASN1,
        ("1.2.840.10045.4.3.2", Some("1.3.132.0.34")) => &ECDSA_P384_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", Some("1.3.132.0.34")) => &ECDSA_P384_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", Some("1.3.132.0.35")) => &ECDSA_P521_SHA512_ASN1,
        ("1.3.101.112", None) => &ED25519,
        _ => return Err(Distrust::Algorithm(signature)),
    };
    Ok(algorithm)
}

/// `None` unless it is an elliptic curve's key.
fn curve(key: &SubjectPublicKeyInfo<'_>) -> Option<String> {
    // An RSA key has NULL here, and `as_oid` does not look at the tag.
    let parameters =
        key.algorithm.parameters.as_ref().filter(|parameters| parameters.tag() == asn1_rs::Tag::Oid)?;
    parameters.as_oid().ok().map(|oid| oid.to_id_string())
}

/// Whether the bytes around the signed part are canonical DER, and name the same algorithm as the signed part.
/// x509-parser accepts other encodings: without this check a certificate could be altered and still verify.
fn has_strict_frame(der: &[u8]) -> bool {
    let frame = AnyRef::from_der(der).and_then(|certificate| {
        certificate.sequence(|certificate| {
            let signed_algorithm = certificate.sequence(algorithm_of_signed_part)?;
            let algorithm = certificate.tlv_bytes()?;
            let signature = BitStringRef::decode(certificate)?;
            Ok::<_, der::Error>(algorithm == signed_algorithm && signature.unused_bits() == 0)
        })
    });
    frame.unwrap_or(false)
}

/// The second field, or the third if the first is the version (absent in version 1).
fn algorithm_of_signed_part<'der>(signed: &mut SliceReader<'der>) -> Result<&'der [u8], der::Error> {
    const VERSION: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
    if Tag::peek(signed)? == VERSION {
        signed.tlv_bytes()?;
    }
    let serial_number = AnyRef::decode(signed)?;
    serial_number.tag().assert_eq(Tag::Integer)?;
    let algorithm = signed.tlv_bytes()?;
    // The signature covers the rest, so it cannot be altered.
    signed.drain(signed.remaining_len())?;
    Ok(algorithm)
}
