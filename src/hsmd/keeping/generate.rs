//! New keys, with the attributes that follow from their kind and value.

use aws_lc_rs::cipher::{self, AES_128, AES_192, AES_256, Algorithm, EncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, KeyPair,
};
use zeroize::Zeroizing;

use crate::protocol::attribute::Attributes;
use crate::protocol::key::{Curve, KeyClass, KeySpec, KeyType};

/// A key in plaintext.
pub(super) struct Fresh {
    /// The defaults for its kind.
    pub(super) attributes: Attributes,
    /// Raw bytes, PKCS #8 of a private key, SubjectPublicKeyInfo of a public key.
    pub(super) value: Zeroizing<Vec<u8>>,
}

/// Makes a key, or a key pair with the public key first.
pub(super) fn generate(spec: KeySpec) -> Result<Vec<Fresh>, Unspecified> {
    match spec {
        KeySpec::Aes { bytes } => secret(KeyType::Aes, bytes, |_| ()),
        KeySpec::GenericSecret { bytes } => secret(KeyType::GenericSecret, bytes, |_| ()),
        KeySpec::TripleDes => secret(KeyType::TripleDes, 24, set_odd_parity),
        KeySpec::Rsa { bits } => rsa_pair(bits),
        KeySpec::Ec(curve) => ec_pair(curve),
    }
}

fn secret(key_type: KeyType, bytes: u32, shape: fn(&mut u8)) -> Result<Vec<Fresh>, Unspecified> {
    let length = usize::try_from(bytes).map_err(|_| Unspecified)?;
    let mut value = Zeroizing::new(vec![0; length]);
    rand::fill(&mut value)?;
    value.iter_mut().for_each(shape);
    let is_cipher = key_type != KeyType::GenericSecret;
    // As in the original, a 3DES key does not wrap by default, and a generic secret has no uses until it is given some.
    let wraps = key_type == KeyType::Aes;
    let attributes = Attributes {
        encrypt: is_cipher,
        decrypt: is_cipher,
        wrap: wraps,
        unwrap: wraps,
        value_len: bytes,
        kcv: zero_block_kcv(key_type, &value)?,
        ..blank(KeyClass::Secret, key_type)
    };
    Ok(vec![Fresh { attributes, value }])
}

/// The lowest bit of each byte of a DES key is a parity bit: it makes the number of ones odd.
fn set_odd_parity(byte: &mut u8) {
    let high = *byte & 0xfe;
    *byte = high | u8::from(high.count_ones().is_multiple_of(2));
}

/// The first three bytes of an encrypted block of zeros.
fn zero_block_kcv(key_type: KeyType, value: &[u8]) -> Result<Option<[u8; 3]>, Unspecified> {
    let (algorithm, block): (&'static Algorithm, usize) = match (key_type, value.len()) {
        (KeyType::Aes, 16) => (&AES_128, 16),
        (KeyType::Aes, 24) => (&AES_192, 16),
        (KeyType::Aes, 32) => (&AES_256, 16),
        #[expect(deprecated, reason = "the original makes 3DES keys, and their check value is defined so")]
        (KeyType::TripleDes, 24) => (&cipher::DES_EDE3_FOR_LEGACY_USE_ONLY, 8),
        (KeyType::GenericSecret, _) => return Ok(None),
        (KeyType::Aes | KeyType::TripleDes | KeyType::Rsa | KeyType::Ec, _) => return Err(Unspecified),
    };
    let mut zeros = vec![0; block];
    EncryptingKey::ecb(UnboundCipherKey::new(algorithm, value)?)?.encrypt(&mut zeros)?;
    Ok(zeros.first_chunk::<3>().copied())
}

fn rsa_pair(bits: u32) -> Result<Vec<Fresh>, Unspecified> {
    let size = match bits {
        2048 => KeySize::Rsa2048,
        3072 => KeySize::Rsa3072,
        4096 => KeySize::Rsa4096,
        _ => return Err(Unspecified),
    };
    let pair = rsa::KeyPair::generate(size)?;
    let public = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key())?;
    let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair)?;
    let common = |class| Attributes {
        // The original reports 512 for a key of 2048 bits.
        value_len: bits / 4,
        kcv: pair_kcv(public.as_ref()),
        modulus: Some(pair.public_key().modulus().big_endian_without_leading_zero().to_vec()),
        modulus_bits: Some(bits),
        public_exponent: Some(pair.public_key().exponent().big_endian_without_leading_zero().to_vec()),
        ..blank(class, KeyType::Rsa)
    };
    let public_attributes =
        Attributes { encrypt: true, wrap: true, verify: true, sensitive: false, ..common(KeyClass::Public) };
    let private_attributes =
        Attributes { decrypt: true, unwrap: true, sign: true, ..common(KeyClass::Private) };
    Ok(vec![
        Fresh { attributes: public_attributes, value: Zeroizing::new(public.as_ref().to_vec()) },
        Fresh { attributes: private_attributes, value: Zeroizing::new(private.as_ref().to_vec()) },
    ])
}

fn ec_pair(curve: Curve) -> Result<Vec<Fresh>, Unspecified> {
    let (algorithm, bits) = match curve {
        Curve::P256 => (&ECDSA_P256_SHA256_ASN1_SIGNING, 256),
        Curve::P384 => (&ECDSA_P384_SHA384_ASN1_SIGNING, 384),
        Curve::P521 => (&ECDSA_P521_SHA512_ASN1_SIGNING, 521),
        Curve::Secp256k1 => (&ECDSA_P256K1_SHA256_ASN1_SIGNING, 256),
    };
    let pair = EcdsaKeyPair::generate(algorithm)?;
    let public = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key())?;
    let private = pair.to_pkcs8v1()?;
    let common = |class| Attributes {
        value_len: u32::try_from(private.as_ref().len()).unwrap_or_default(),
        kcv: pair_kcv(public.as_ref()),
        modulus: Some(pair.public_key().as_ref().to_vec()),
        modulus_bits: Some(bits),
        ..blank(class, KeyType::Ec)
    };
    let public_attributes = Attributes { verify: true, sensitive: false, ..common(KeyClass::Public) };
    let private_attributes = Attributes { sign: true, ..common(KeyClass::Private) };
    Ok(vec![
        Fresh { attributes: public_attributes, value: Zeroizing::new(public.as_ref().to_vec()) },
        Fresh { attributes: private_attributes, value: Zeroizing::new(private.as_ref().to_vec()) },
    ])
}

/// The first three bytes of the SHA-1 of the public key in DER, as `openssl pkey -pubout -outform DER` writes it.
fn pair_kcv(public: &[u8]) -> Option<[u8; 3]> {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, public).as_ref().first_chunk::<3>().copied()
}

/// A sensitive key without any uses.
fn blank(class: KeyClass, key_type: KeyType) -> Attributes {
    Attributes {
        class,
        key_type,
        token: true,
        label: String::new(),
        id: String::new(),
        trusted: false,
        sensitive: true,
        encrypt: false,
        decrypt: false,
        wrap: false,
        unwrap: false,
        sign: false,
        verify: false,
        derive: false,
        extractable: true,
        local: true,
        never_extractable: false,
        always_sensitive: class != KeyClass::Public,
        destroyable: true,
        wrap_with_trusted: false,
        value_len: 0,
        kcv: None,
        modulus: None,
        modulus_bits: None,
        public_exponent: None,
    }
}
