//! AES, 3DES and generic secrets.

use aws_lc_rs::cipher::{self, AES_128, AES_192, AES_256, EncryptingKey, UnboundCipherKey};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::fresh::blank;
use super::{Fresh, NotAKey};
use crate::protocol::attribute::Attributes;
use crate::protocol::key::{KeyClass, KeyType};

/// A random key of `bytes` bytes.
pub(super) fn random(key_type: KeyType, bytes: u32) -> Result<Fresh, NotAKey> {
    let length = usize::try_from(bytes).map_err(|_| NotAKey)?;
    // Before the memory is taken.
    if !has_length(key_type, length) {
        return Err(NotAKey);
    }
    let mut value = Zeroizing::new(vec![0; length]);
    rand::fill(&mut value)?;
    if key_type == KeyType::TripleDes {
        value.iter_mut().for_each(set_odd_parity);
    }
    key(key_type, &value).map(Fresh::made_here)
}

/// The key with this value.
pub(super) fn key(key_type: KeyType, value: &[u8]) -> Result<Fresh, NotAKey> {
    if !has_length(key_type, value.len()) {
        return Err(NotAKey);
    }
    let is_cipher = key_type != KeyType::GenericSecret;
    // As in the original, a 3DES key does not wrap by default, and a generic secret has no uses until it is given some.
    let wraps = key_type == KeyType::Aes;
    let attributes = Attributes {
        encrypt: is_cipher,
        decrypt: is_cipher,
        wrap: wraps,
        unwrap: wraps,
        value_len: u32::try_from(value.len()).map_err(|_| NotAKey)?,
        kcv: kcv(key_type, value)?,
        ..blank(KeyClass::Secret, key_type)
    };
    Ok(Fresh::new(attributes, value))
}

/// The lowest bit of each byte of a DES key is a parity bit: it makes the number of ones odd.
fn set_odd_parity(byte: &mut u8) {
    let high = *byte & 0xfe;
    *byte = high | u8::from(high.count_ones().is_multiple_of(2));
}

fn has_length(key_type: KeyType, bytes: usize) -> bool {
    match key_type {
        KeyType::Aes => matches!(bytes, 16 | 24 | 32),
        KeyType::TripleDes => bytes == 24,
        KeyType::GenericSecret => matches!(bytes, 1..=3584),
        KeyType::Rsa | KeyType::Ec | KeyType::Dsa => false,
    }
}

/// The first three bytes of an encrypted block of zeros. A generic secret encrypts nothing.
fn kcv(key_type: KeyType, value: &[u8]) -> Result<Option<[u8; 3]>, NotAKey> {
    let algorithm = match (key_type, value.len()) {
        (KeyType::Aes, 16) => &AES_128,
        (KeyType::Aes, 24) => &AES_192,
        (KeyType::Aes, _) => &AES_256,
        #[expect(deprecated, reason = "the original makes 3DES keys, and their check value is defined so")]
        (KeyType::TripleDes, _) => &cipher::DES_EDE3_FOR_LEGACY_USE_ONLY,
        (KeyType::GenericSecret | KeyType::Rsa | KeyType::Ec | KeyType::Dsa, _) => return Ok(None),
    };
    let mut zeros = vec![0; algorithm.block_len()];
    EncryptingKey::ecb(UnboundCipherKey::new(algorithm, value)?)?.encrypt(&mut zeros)?;
    Ok(zeros.first_chunk::<3>().copied())
}
