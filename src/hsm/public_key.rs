//! The public keys that verify users' signatures.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::{Deserialize, Serialize};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey as Parsed;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::protocol::Refusal;

/// An RSA key of 2048 bits. Equal keys are equal however they were encoded, so that one key cannot approve twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

const BYTES: usize = 2048 / 8;

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in DER.
    ///
    /// # Errors
    ///
    /// [`Refusal::PublicKeyInvalid`] if it is another kind of key, or not a key.
    pub fn parse(der: &[u8]) -> Result<Self, Refusal> {
        let parse = || {
            let (rest, info) = SubjectPublicKeyInfo::from_der(der).ok()?;
            let Ok(Parsed::RSA(key)) = info.parsed() else { return None };
            let (modulus, exponent) = (significant(key.modulus), significant(key.exponent));
            let is_full = modulus.len() == BYTES && modulus.first().is_some_and(|byte| *byte >= 0x80);
            let key = Self { modulus, exponent };
            (rest.is_empty() && is_full && key.is_odd()).then_some(key)
        };
        parse().ok_or(Refusal::PublicKeyInvalid)
    }

    /// Whether the signature (PKCS #1 v1.5, SHA-256) is of this message by this key.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = RsaPublicKeyComponents { n: self.modulus.as_slice(), e: self.exponent.as_slice() };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
    }

    /// The same for equal keys only.
    pub(super) fn bytes(&self) -> Vec<u8> {
        [self.exponent.as_slice(), &self.modulus].concat()
    }

    fn is_odd(&self) -> bool {
        [&self.modulus, &self.exponent].iter().all(|number| number.last().is_some_and(|byte| byte % 2 == 1))
    }
}

fn significant(number: &[u8]) -> Vec<u8> {
    number.iter().copied().skip_while(|byte| *byte == 0).collect()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};

    use super::PublicKey;

    #[test]
    fn a_signature_is_of_one_message_by_one_key() {
        let (pair, other) = (pair(KeySize::Rsa2048), pair(KeySize::Rsa2048));
        let key = PublicKey::parse(&der(&pair)).unwrap();
        let mut signature = vec![0; 256];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"message", &mut signature).unwrap();
        assert!(key.verifies(b"message", &signature));
        assert!(!key.verifies(b"messagf", &signature));
        assert!(!PublicKey::parse(&der(&other)).unwrap().verifies(b"message", &signature));
        assert!(!key.verifies(b"message", &signature[1..]));
        assert!(!key.verifies(b"message", &[]));
    }

    #[test]
    fn only_rsa_keys_of_2048_bits_are_taken_and_no_trailing_bytes() {
        let good = der(&pair(KeySize::Rsa2048));
        assert!(PublicKey::parse(&good).is_ok());
        assert!(PublicKey::parse(&[good.as_slice(), &[0]].concat()).is_err());
        assert!(PublicKey::parse(&good[..good.len() - 1]).is_err());
        assert!(PublicKey::parse(&der(&pair(KeySize::Rsa3072))).is_err());
        assert!(PublicKey::parse(b"").is_err());
    }

    #[test]
    fn an_even_modulus_or_exponent_is_not_a_keys() {
        let good = der(&pair(KeySize::Rsa2048));
        // The exponent is the last three bytes, after its tag and length.
        for last in [good.len() - 1, good.len() - 6] {
            let mut even = good.clone();
            even[last] &= 0xfe;
            assert!(PublicKey::parse(&even).is_err(), "{last}");
        }
    }

    impl PublicKey {
        /// One of many that nobody can sign with.
        pub(in crate::hsm) fn numbered(number: u8) -> Self {
            Self { modulus: vec![number], exponent: vec![3] }
        }
    }

    fn pair(size: KeySize) -> RsaKeyPair {
        RsaKeyPair::generate(size).unwrap()
    }

    fn der(pair: &RsaKeyPair) -> Vec<u8> {
        AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap().as_ref().to_vec()
    }
}
