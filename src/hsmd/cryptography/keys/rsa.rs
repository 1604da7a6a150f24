//! RSA pairs.

use std::ops::RangeInclusive;

use ::rsa::PrivateKey;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize, PublicKey};
use aws_lc_rs::signature::KeyPair as _;
use pkcs8::EncodePrivateKey;

use super::fresh::{blank, pair_kcv};
use super::{Fresh, NotAKey};
use crate::hsmd::cryptography::random::Random;
use crate::protocol::attribute::Attributes;
use crate::protocol::key::{KeyClass, KeyType};

/// 2¹⁶ + 1.
pub(super) const USUAL_EXPONENT: u32 = 65537;

/// The public exponents of the original, of which the odd ones are valid.
const EXPONENTS: RangeInclusive<u32> = USUAL_EXPONENT..=i32::MAX as u32;

/// Of the modulus. Pairs are made in steps of 256 bits; those from outside may have any size between.
const BITS: RangeInclusive<u32> = 2048..=4096;

/// A new pair, the public key first.
pub(super) fn pair(bits: u32, exponent: u32) -> Result<[Fresh; 2], NotAKey> {
    let pair = match (bits, exponent) {
        (2048, USUAL_EXPONENT) => KeyPair::generate(KeySize::Rsa2048)?,
        (3072, USUAL_EXPONENT) => KeyPair::generate(KeySize::Rsa3072)?,
        (4096, USUAL_EXPONENT) => KeyPair::generate(KeySize::Rsa4096)?,
        _ if BITS.contains(&bits) && bits.is_multiple_of(256) && is_exponent(exponent) => {
            unusual_pair(bits, exponent)?
        }
        _ => return Err(NotAKey),
    };
    Ok([public_half(pair.public_key())?.made_here(), private_half(&pair)?.made_here()])
}

/// The crate `rsa` makes what aws-lc-rs does not offer: other sizes and other public exponents. aws-lc-rs checks the
/// result when it reads it. RUSTSEC-2023-0071 (timing of private operations) is not about making keys.
fn unusual_pair(bits: u32, exponent: u32) -> Result<KeyPair, NotAKey> {
    let bits = usize::try_from(bits).map_err(|_| NotAKey)?;
    let key = PrivateKey::new_with_exp(&mut Random, bits, exponent.into()).map_err(|_| NotAKey)?;
    let pkcs8 = key.to_pkcs8_der().map_err(|_| NotAKey)?;
    Ok(KeyPair::from_pkcs8(pkcs8.as_bytes())?)
}

/// The private key of a bare PKCS #8.
pub(super) fn private(pkcs8: &[u8]) -> Result<Fresh, NotAKey> {
    private_half(&KeyPair::from_pkcs8(pkcs8)?)
}

/// The public key of a SubjectPublicKeyInfo.
pub(super) fn public(spki: &[u8]) -> Result<Fresh, NotAKey> {
    public_half(&PublicKey::from_der(spki)?)
}

fn private_half(pair: &KeyPair) -> Result<Fresh, NotAKey> {
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(pair)?;
    let common = common(KeyClass::Private, pair.public_key())?;
    Ok(Fresh::new(Attributes { decrypt: true, unwrap: true, sign: true, ..common }, pkcs8.as_ref()))
}

fn public_half(key: &PublicKey) -> Result<Fresh, NotAKey> {
    let spki = AsDer::<PublicKeyX509Der<'_>>::as_der(key)?;
    let common = common(KeyClass::Public, key)?;
    Ok(Fresh::new(Attributes { encrypt: true, wrap: true, verify: true, ..common }, spki.as_ref()))
}

/// What both halves have, if the numbers are of the sizes that an HSM holds.
fn common(class: KeyClass, key: &PublicKey) -> Result<Attributes, NotAKey> {
    let spki = AsDer::<PublicKeyX509Der<'_>>::as_der(key)?;
    let (modulus, exponent) = (key.modulus(), key.exponent());
    let (modulus, exponent) =
        (modulus.big_endian_without_leading_zero(), exponent.big_endian_without_leading_zero());
    let bits = bits(modulus)?;
    if !BITS.contains(&bits) || !is_exponent(number(exponent)?) {
        return Err(NotAKey);
    }
    Ok(Attributes {
        // The original reports 512 for a key of 2048 bits.
        value_len: bits / 4,
        kcv: pair_kcv(spki.as_ref()),
        modulus: Some(modulus.to_vec()),
        modulus_bits: Some(bits),
        public_exponent: Some(exponent.to_vec()),
        ..blank(class, KeyType::Rsa)
    })
}

fn is_exponent(exponent: u32) -> bool {
    EXPONENTS.contains(&exponent) && !exponent.is_multiple_of(2)
}

/// The bits of a number that begins with its first byte that is not 0.
fn bits(number: &[u8]) -> Result<u32, NotAKey> {
    let first = number.first().ok_or(NotAKey)?;
    let bytes = u32::try_from(number.len()).map_err(|_| NotAKey)?;
    bytes.saturating_mul(8).checked_sub(first.leading_zeros()).ok_or(NotAKey)
}

fn number(bytes: &[u8]) -> Result<u32, NotAKey> {
    let digit = |number: u32, byte: &u8| number.checked_mul(256)?.checked_add(u32::from(*byte));
    bytes.iter().try_fold(0, digit).ok_or(NotAKey)
}
