//! DSA pairs, by the crate `dsa`: aws-lc-rs has no DSA.

use crypto_primes::{Flavor, is_prime};
use der::asn1::UintRef;
use der::{AnyRef, Decode, Reader};
use dsa::{BoxedUint, Components, SigningKey, VerifyingKey};
use pkcs8::spki::SubjectPublicKeyInfoRef;
use pkcs8::{EncodePrivateKey, EncodePublicKey, PrivateKeyInfoRef};

use super::fresh::{blank, pair_kcv};
use super::{Fresh, NotAKey, dsa_domain};
use crate::hsmd::cryptography::random::Random;
use crate::protocol::attribute::Attributes;
use crate::protocol::key::{KeyClass, KeyType};

/// A new pair, the public key first. It has domain parameters of its own, and finding these can take seconds.
pub(super) fn pair(bits: u32) -> Result<[Fresh; 2], NotAKey> {
    if bits != 2048 {
        return Err(NotAKey);
    }
    let components = dsa_domain::find()?;
    let key = SigningKey::try_generate_from_rng_with_components(&mut Random, components)?;
    Ok([public_half(key.verifying_key())?.made_here(), private_half(&key)?.made_here()])
}

/// The private key of a bare PKCS #8.
pub(super) fn private(pkcs8: &[u8]) -> Result<Fresh, NotAKey> {
    let info = PrivateKeyInfoRef::from_der(pkcs8)?;
    check(info.algorithm.parameters, None)?;
    private_half(&SigningKey::try_from(info).map_err(|_| NotAKey)?)
}

/// The public key of a SubjectPublicKeyInfo.
pub(super) fn public(spki: &SubjectPublicKeyInfoRef<'_>) -> Result<Fresh, NotAKey> {
    let y = spki.subject_public_key.as_bytes().ok_or(NotAKey)?;
    check(spki.algorithm.parameters, Some(UintRef::from_der(y)?))?;
    public_half(&VerifyingKey::try_from(spki.clone()).map_err(|_| NotAKey)?)
}

/// Domain parameters and public number as FIPS 186-4 has them. The library checks sizes and y only, and signing with
/// a q that is not prime might never end.
fn check(parameters: Option<AnyRef<'_>>, y: Option<UintRef<'_>>) -> Result<(), NotAKey> {
    let parameters = parameters.ok_or(NotAKey)?;
    let [p, q, g] = parameters.sequence(|reader| -> der::Result<[UintRef<'_>; 3]> {
        Ok([reader.decode()?, reader.decode()?, reader.decode()?])
    })?;
    let has_room =
        |number: UintRef<'_>| number.as_bytes().len().div_ceil(8) == p.as_bytes().len().div_ceil(8);
    let sizes = (bits(p), bits(q));
    if !matches!(sizes, (2048, 224 | 256) | (3072, 256)) || !has_room(g) || !y.is_none_or(has_room) {
        return Err(NotAKey);
    }
    let [p, q, g] = [p, q, g].map(number);
    let y = y.map(number);
    let are_prime = is_prime(Flavor::Any, &p) && is_prime(Flavor::Any, &q);
    if !are_prime || y.is_some_and(|y| y >= p) {
        return Err(NotAKey);
    }
    // The library checks that a public number is in the subgroup; the generator has to be in it as well.
    let components = Components::from_components(p, q, g.clone()).map_err(|_| NotAKey)?;
    VerifyingKey::from_components(components, g).map(|_| ()).map_err(|_| NotAKey)
}

fn bits(number: UintRef<'_>) -> usize {
    let zeros = number.as_bytes().first().map_or(0, |first| first.leading_zeros() as usize);
    (number.as_bytes().len() * 8).saturating_sub(zeros)
}

fn number(number: UintRef<'_>) -> BoxedUint {
    BoxedUint::from_be_slice_vartime(number.as_bytes())
}

fn private_half(key: &SigningKey) -> Result<Fresh, NotAKey> {
    let pkcs8 = key.to_pkcs8_der().map_err(|_| NotAKey)?;
    let attributes = Attributes { sign: true, ..common(KeyClass::Private, key.verifying_key())? };
    Ok(Fresh::new(attributes, pkcs8.as_bytes()))
}

fn public_half(key: &VerifyingKey) -> Result<Fresh, NotAKey> {
    let spki = key.to_public_key_der().map_err(|_| NotAKey)?;
    Ok(Fresh::new(Attributes { verify: true, ..common(KeyClass::Public, key)? }, spki.as_bytes()))
}

/// What both halves have. What the original says of a DSA key's size and numbers is not public: as of an EC key, the
/// public number is its modulus.
fn common(class: KeyClass, key: &VerifyingKey) -> Result<Attributes, NotAKey> {
    let spki = key.to_public_key_der().map_err(|_| NotAKey)?;
    let bits = key.components().p().bit_width();
    Ok(Attributes {
        value_len: bits / 8,
        kcv: pair_kcv(spki.as_bytes()),
        modulus: Some(key.y().to_be_bytes().into_vec()),
        modulus_bits: Some(bits),
        ..blank(class, KeyType::Dsa)
    })
}
