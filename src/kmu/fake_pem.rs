//! Fake PEM: a file that looks like a private key, and holds the handle of one that never leaves the HSM.
//!
//! Programs want a file with a private key. In its public numbers it is a real one, so that they find the certificate
//! that belongs to it; where the private number would be, it has a mark and the handle.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256K1_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1,
    ParsedPublicKey, VerificationAlgorithm,
};
use der::asn1::UintRef;
use der::{Decode, Encode};
use pkcs1::{RsaPrivateKey, RsaPrivateKeyRef};
use pkcs8::ObjectIdentifier;
use sec1::{EcParameters, EcPrivateKey};
use zeroize::Zeroizing;

use super::pem;
use crate::protocol::attribute::Attributes;
use crate::protocol::key::{KeyHandle, KeyType};

/// The digit is the version of the layout; four bytes follow, the handle.
const MARK: &[u8] = b"CHSMKEY1";

/// The file for a private key with these attributes; `None` if it is neither an RSA nor an EC key.
pub(super) fn encode(handle: KeyHandle, attributes: &Attributes) -> Option<Zeroizing<String>> {
    let private = [MARK, &handle.0.to_be_bytes()].concat();
    let public = attributes.modulus.as_deref()?;
    match attributes.key_type {
        KeyType::Rsa => {
            let der = rsa(public, attributes.public_exponent.as_deref()?, &private).ok()?;
            Some(pem::encode("RSA PRIVATE KEY", &der))
        }
        KeyType::Ec => Some(pem::encode("EC PRIVATE KEY", &ec(public, &private)?)),
        KeyType::GenericSecret | KeyType::TripleDes | KeyType::Aes | KeyType::Dsa => None,
    }
}

/// The handle in a key that [`encode`] made; `None` if it is another key.
pub(super) fn handle(key_type: KeyType, der: &[u8]) -> Option<KeyHandle> {
    let private = match key_type {
        KeyType::Rsa => RsaPrivateKeyRef::from_der(der).ok()?.private_exponent.as_bytes(),
        KeyType::Ec => EcPrivateKey::from_der(der).ok()?.private_key,
        KeyType::GenericSecret | KeyType::TripleDes | KeyType::Aes | KeyType::Dsa => return None,
    };
    let (rest, handle) = private.split_last_chunk::<4>()?;
    let padding = rest.strip_suffix(MARK)?;
    padding.iter().all(|byte| *byte == 0).then(|| KeyHandle(u32::from_be_bytes(*handle)))
}

fn rsa(modulus: &[u8], exponent: &[u8], private: &[u8]) -> der::Result<Vec<u8>> {
    // Placeholders, with which nobody computes.
    let one = UintRef::new(&[1])?;
    let key = RsaPrivateKey {
        modulus: UintRef::new(modulus)?,
        public_exponent: UintRef::new(exponent)?,
        private_exponent: UintRef::new(private)?,
        prime1: one,
        prime2: one,
        exponent1: one,
        exponent2: one,
        coefficient: one,
        other_prime_infos: None,
    };
    key.to_der()
}

fn ec(point: &[u8], private: &[u8]) -> Option<Vec<u8>> {
    let (curve, length) = curve(point)?;
    let mut padded = vec![0; length.checked_sub(private.len())?];
    padded.extend_from_slice(private);
    let key = EcPrivateKey {
        private_key: &padded,
        parameters: Some(EcParameters::NamedCurve(curve)),
        public_key: Some(point),
    };
    key.to_der().ok()
}

/// The curve that a point is on, and the length of its private keys.
fn curve(point: &[u8]) -> Option<(ObjectIdentifier, usize)> {
    let curves: [(&'static dyn VerificationAlgorithm, &str, usize); 4] = [
        (&ECDSA_P256_SHA256_ASN1, "1.2.840.10045.3.1.7", 32),
        (&ECDSA_P256K1_SHA256_ASN1, "1.3.132.0.10", 32),
        (&ECDSA_P384_SHA384_ASN1, "1.3.132.0.34", 48),
        (&ECDSA_P521_SHA512_ASN1, "1.3.132.0.35", 66),
    ];
    let found = curves.into_iter().find(|(of, _, _)| ParsedPublicKey::new(*of, point).is_ok())?;
    let (_, curve, length) = found;
    Some((ObjectIdentifier::new(curve).ok()?, length))
}
