//! Encryption by RSA, of a value or of an AES key that wraps it.
//!
//! aws-lc-rs has no OAEP with SHA-224: that is by the crate `rsa`. RUSTSEC-2023-0071 is about the time that its
//! decryption takes; since 0.10 it runs in constant time, and blinded by random numbers, which it is given here.

use ::rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use ::rsa::sha2::Sha224;
use ::rsa::{PrivateKey, PublicKey};
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepAlgorithm, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, Pkcs1PrivateDecryptingKey,
    Pkcs1PublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use zeroize::Zeroizing;

use super::{KeyUnfit, NotUnwrapped, NotWrapped, key_wrap};
use crate::hsmd::cryptography::random::Random;
use crate::protocol::key::Hash;

/// The length of the AES key between RSA and the value.
const AES: usize = 32;

/// Wraps by a random AES-256 key, and encrypts that by RSA-OAEP, which comes first.
pub(super) fn wrap_with_aes(spki: &[u8], hash: Hash, value: &[u8]) -> Result<Vec<u8>, NotWrapped> {
    let mut key = Zeroizing::new([0; AES]);
    rand::fill(key.as_mut_slice())?;
    let encrypted = encrypt_oaep(spki, hash, key.as_slice())?;
    Ok([encrypted, key_wrap::wrap_with_padding(key.as_slice(), value)?].concat())
}

/// Reverses [`wrap_with_aes`]. If the AES key cannot be decrypted, a random one fails in its place, so that both
/// failures take the same way.
pub(super) fn unwrap_with_aes(
    pkcs8: &[u8],
    hash: Hash,
    wrapped: &[u8],
) -> Result<Zeroizing<Vec<u8>>, NotUnwrapped> {
    let length = private_key(pkcs8)?.key_size_bytes();
    let (encrypted, wrapped) = wrapped.split_at_checked(length).ok_or(NotUnwrapped)?;
    let mut key = Zeroizing::new([0; AES]);
    rand::fill(key.as_mut_slice())?;
    if let Ok(decrypted) = decrypt_oaep(pkcs8, hash, encrypted)
        && decrypted.len() == AES
    {
        key.copy_from_slice(&decrypted);
    }
    key_wrap::unwrap_with_padding(key.as_slice(), wrapped)
}

/// The hash is also the mask's; the label is empty.
pub(super) fn encrypt_oaep(spki: &[u8], hash: Hash, value: &[u8]) -> Result<Vec<u8>, NotWrapped> {
    let key = public_key(spki)?;
    must_have_room(&key, hash.bytes().saturating_mul(2).saturating_add(2), value)?;
    let Some(algorithm) = oaep(hash) else {
        let key = PublicKey::from_public_key_der(spki).map_err(|_| KeyUnfit)?;
        let encrypted = key.oaep_encrypt_with_rng::<Sha224, _>(&mut Random, value);
        return encrypted.map_err(|_| NotWrapped::LibraryFailed);
    };
    let mut encrypted = vec![0; key.key_size_bytes()];
    OaepPublicEncryptingKey::new(key)?.encrypt(algorithm, value, &mut encrypted, None)?;
    Ok(encrypted)
}

/// Reverses [`encrypt_oaep`].
pub(super) fn decrypt_oaep(
    pkcs8: &[u8],
    hash: Hash,
    encrypted: &[u8],
) -> Result<Zeroizing<Vec<u8>>, NotUnwrapped> {
    let Some(algorithm) = oaep(hash) else {
        let key = PrivateKey::from_pkcs8_der(pkcs8).map_err(|_| KeyUnfit)?;
        let value = key.oaep_decrypt_with_rng::<Sha224, _>(&mut Random, encrypted);
        return value.map(Zeroizing::new).map_err(|_| NotUnwrapped);
    };
    let key = OaepPrivateDecryptingKey::new(private_key(pkcs8)?)?;
    let mut value = Zeroizing::new(vec![0; key.min_output_size()]);
    let length = key.decrypt(algorithm, encrypted, &mut value, None)?.len();
    value.truncate(length);
    Ok(value)
}

/// `None` is what aws-lc-rs lacks.
fn oaep(hash: Hash) -> Option<&'static OaepAlgorithm> {
    match hash {
        Hash::Sha1 => Some(&OAEP_SHA1_MGF1SHA1),
        Hash::Sha224 => None,
        Hash::Sha256 => Some(&OAEP_SHA256_MGF1SHA256),
        Hash::Sha384 => Some(&OAEP_SHA384_MGF1SHA384),
        Hash::Sha512 => Some(&OAEP_SHA512_MGF1SHA512),
    }
}

/// PKCS #1 v1.5.
pub(super) fn encrypt_pkcs1(spki: &[u8], value: &[u8]) -> Result<Vec<u8>, NotWrapped> {
    let key = public_key(spki)?;
    must_have_room(&key, 11, value)?;
    let mut encrypted = vec![0; key.key_size_bytes()];
    Pkcs1PublicEncryptingKey::new(key)?.encrypt(value, &mut encrypted)?;
    Ok(encrypted)
}

/// Reverses [`encrypt_pkcs1`].
pub(super) fn decrypt_pkcs1(pkcs8: &[u8], encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotUnwrapped> {
    let key = Pkcs1PrivateDecryptingKey::new(private_key(pkcs8)?)?;
    let mut value = Zeroizing::new(vec![0; key.min_output_size()]);
    let length = key.decrypt(encrypted, &mut value)?.len();
    value.truncate(length);
    Ok(value)
}

fn public_key(spki: &[u8]) -> Result<PublicEncryptingKey, KeyUnfit> {
    PublicEncryptingKey::from_der(spki).map_err(|_| KeyUnfit)
}

fn private_key(pkcs8: &[u8]) -> Result<PrivateDecryptingKey, KeyUnfit> {
    PrivateDecryptingKey::from_pkcs8(pkcs8).map_err(|_| KeyUnfit)
}

fn must_have_room(key: &PublicEncryptingKey, padding: usize, value: &[u8]) -> Result<(), NotWrapped> {
    let is_room = value.len().saturating_add(padding) <= key.key_size_bytes();
    if is_room && !value.is_empty() { Ok(()) } else { Err(NotWrapped::LengthUnfit) }
}
