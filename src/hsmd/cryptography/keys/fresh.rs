//! Keys that no HSM holds yet.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use zeroize::Zeroizing;

use crate::protocol::attribute::Attributes;
use crate::protocol::key::{KeyClass, KeyType};

/// A key in plaintext.
pub struct Fresh {
    /// The defaults for its kind: a token key, extractable, without label and id.
    pub attributes: Attributes,
    /// Raw bytes, PKCS #8 of a private key, SubjectPublicKeyInfo of a public key.
    pub value: Zeroizing<Vec<u8>>,
}

impl Fresh {
    pub(super) fn new(attributes: Attributes, value: &[u8]) -> Self {
        Self { attributes, value: Zeroizing::new(value.to_vec()) }
    }

    /// A key that was never outside.
    pub(super) fn made_here(self) -> Self {
        let always_sensitive = self.attributes.sensitive;
        Self { attributes: Attributes { local: true, always_sensitive, ..self.attributes }, ..self }
    }
}

/// A key that may be used for nothing yet.
pub(super) fn blank(class: KeyClass, key_type: KeyType) -> Attributes {
    Attributes {
        class,
        key_type,
        token: true,
        label: String::new(),
        id: String::new(),
        trusted: false,
        sensitive: class != KeyClass::Public,
        encrypt: false,
        decrypt: false,
        wrap: false,
        unwrap: false,
        sign: false,
        verify: false,
        derive: false,
        extractable: true,
        local: false,
        never_extractable: false,
        always_sensitive: false,
        destroyable: true,
        wrap_with_trusted: false,
        value_len: 0,
        kcv: None,
        modulus: None,
        modulus_bits: None,
        public_exponent: None,
    }
}

/// The check value of both halves of a pair: the first three bytes of the SHA-1 of the public key in DER, as
/// `openssl pkey -pubout -outform DER` writes it.
pub(super) fn pair_kcv(spki: &[u8]) -> Option<[u8; 3]> {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, spki).as_ref().first_chunk::<3>().copied()
}
