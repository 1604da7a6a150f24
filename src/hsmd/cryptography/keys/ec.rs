//! Elliptic curve pairs.

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPrivateKeyBin, PublicKeyX509Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1,
    ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P521_SHA512_ASN1, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    EcdsaVerificationAlgorithm, KeyPair, ParsedPublicKey,
};
use der::Decode;
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};

use super::fresh::{blank, pair_kcv};
use super::{Fresh, NotAKey};
use crate::protocol::attribute::Attributes;
use crate::protocol::key::{Curve, KeyClass, KeyType};

/// A curve, and how aws-lc-rs names what is done on it.
pub(in crate::hsmd::cryptography) struct Group {
    oid: ObjectIdentifier,
    /// Of the field.
    bits: u32,
    /// Of a private key in PKCS #8.
    value_len: u32,
    pub(in crate::hsmd::cryptography) signing: &'static EcdsaSigningAlgorithm,
    pub(in crate::hsmd::cryptography) verification: &'static EcdsaVerificationAlgorithm,
    /// The hash that these two expect.
    pub(in crate::hsmd::cryptography) hash: &'static digest::Algorithm,
}

static P256: Group = Group {
    oid: ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
    bits: 256,
    value_len: 138,
    signing: &ECDSA_P256_SHA256_ASN1_SIGNING,
    verification: &ECDSA_P256_SHA256_ASN1,
    hash: &SHA256,
};

static P384: Group = Group {
    oid: ObjectIdentifier::new_unwrap("1.3.132.0.34"),
    bits: 384,
    value_len: 185,
    signing: &ECDSA_P384_SHA384_ASN1_SIGNING,
    verification: &ECDSA_P384_SHA384_ASN1,
    hash: &SHA384,
};

static P521: Group = Group {
    oid: ObjectIdentifier::new_unwrap("1.3.132.0.35"),
    bits: 521,
    value_len: 241,
    signing: &ECDSA_P521_SHA512_ASN1_SIGNING,
    verification: &ECDSA_P521_SHA512_ASN1,
    hash: &SHA512,
};

static SECP256K1: Group = Group {
    oid: ObjectIdentifier::new_unwrap("1.3.132.0.10"),
    bits: 256,
    value_len: 135,
    signing: &ECDSA_P256K1_SHA256_ASN1_SIGNING,
    verification: &ECDSA_P256K1_SHA256_ASN1,
    hash: &SHA256,
};

impl Group {
    fn of(curve: Curve) -> &'static Self {
        match curve {
            Curve::P256 => &P256,
            Curve::P384 => &P384,
            Curve::P521 => &P521,
            Curve::Secp256k1 => &SECP256K1,
        }
    }

    /// The curve of a private key.
    pub(in crate::hsmd::cryptography) fn of_private(pkcs8: &[u8]) -> Result<&'static Self, NotAKey> {
        Self::named(&PrivateKeyInfoRef::from_der(pkcs8)?.algorithm)
    }

    /// The curve of a public key.
    pub(in crate::hsmd::cryptography) fn of_public(spki: &[u8]) -> Result<&'static Self, NotAKey> {
        Self::named(&SubjectPublicKeyInfoRef::from_der(spki)?.algorithm)
    }

    fn named(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<&'static Self, NotAKey> {
        let oid = algorithm.parameters_oid().map_err(|_| NotAKey)?;
        let all = [Curve::P256, Curve::P384, Curve::P521, Curve::Secp256k1];
        all.into_iter().map(Self::of).find(|group| group.oid == oid).ok_or(NotAKey)
    }

    /// What both halves have.
    fn common(&self, class: KeyClass, spki: &[u8], point: &[u8]) -> Attributes {
        Attributes {
            value_len: self.value_len,
            kcv: pair_kcv(spki),
            modulus: Some(point.to_vec()),
            modulus_bits: Some(self.bits),
            ..blank(class, KeyType::Ec)
        }
    }
}

/// A new pair, the public key first.
pub(super) fn pair(curve: Curve) -> Result<[Fresh; 2], NotAKey> {
    let group = Group::of(curve);
    let pair = EcdsaKeyPair::generate(group.signing)?;
    let spki = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key())?;
    let public = public_half(group, spki.as_ref(), pair.public_key().as_ref());
    Ok([public.made_here(), private_half(group, &pair)?.made_here()])
}

/// The private key of a bare PKCS #8.
pub(super) fn private(pkcs8: &[u8]) -> Result<Fresh, NotAKey> {
    let group = Group::of_private(pkcs8)?;
    let pair = EcdsaKeyPair::from_pkcs8(group.signing, pkcs8)?;
    // A key that came with a compressed point would be written so again. The numbers alone have one form.
    let number = AsBigEndian::<EcPrivateKeyBin<'_>>::as_be_bytes(&pair.private_key())?;
    let point = pair.public_key().as_ref();
    let pair = EcdsaKeyPair::from_private_key_and_public_key(group.signing, number.as_ref(), point)?;
    private_half(group, &pair)
}

/// The public key of a SubjectPublicKeyInfo.
pub(super) fn public(spki: &[u8], parsed: &SubjectPublicKeyInfoRef<'_>) -> Result<Fresh, NotAKey> {
    let group = Group::named(&parsed.algorithm)?;
    let point = parsed.subject_public_key.as_bytes().ok_or(NotAKey)?;
    // With the point uncompressed, there is one encoding in DER, and this is it.
    if point.first() != Some(&UNCOMPRESSED) {
        return Err(NotAKey);
    }
    ParsedPublicKey::new(group.verification, spki)?;
    Ok(public_half(group, spki, point))
}

/// The first byte of a point with both coordinates.
const UNCOMPRESSED: u8 = 4;

fn private_half(group: &Group, pair: &EcdsaKeyPair) -> Result<Fresh, NotAKey> {
    let spki = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key())?;
    let pkcs8 = pair.to_pkcs8v1()?;
    let common = group.common(KeyClass::Private, spki.as_ref(), pair.public_key().as_ref());
    Ok(Fresh::new(Attributes { sign: true, ..common }, pkcs8.as_ref()))
}

fn public_half(group: &Group, spki: &[u8], point: &[u8]) -> Fresh {
    Fresh::new(Attributes { verify: true, ..group.common(KeyClass::Public, spki, point) }, spki)
}
