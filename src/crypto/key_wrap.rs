//! AES key wrap.
//!
//! aws-lc-rs has no AES key wrap with keys of 192 bits, and none of a single block: for those it is the crate `aes-kw`.

use aes_kw::{Error, KeyInit, KwAes128, KwAes192, KwAes256, KwpAes192};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap, KeyWrapPadded};
use zeroize::Zeroizing;

/// RFC 3394 works on blocks of 8 bytes, and adds one.
const BLOCK: usize = 8;

/// Why a value is not wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWrapped {
    /// Another kind of key is needed.
    #[error("the wrapping key does not fit the mechanism")]
    KeyUnfit,
    /// Too long for an RSA key, or of a length that the mechanism does not take.
    #[error("the mechanism does not wrap a value of this length")]
    LengthUnfit,
    /// There is no other reason.
    #[error("the cryptographic library failed")]
    LibraryFailed,
}

/// Why a value is not unwrapped: it was altered, or wrapped by another key or mechanism, or it is not a value of what
/// was asked for. Which of these it is would help an attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key could not be unwrapped")]
pub struct NotUnwrapped;

/// Another kind of key is needed, or its value is not one.
pub struct KeyUnfit;

impl From<KeyUnfit> for NotWrapped {
    fn from(_: KeyUnfit) -> Self {
        Self::KeyUnfit
    }
}

impl From<Unspecified> for NotWrapped {
    fn from(_: Unspecified) -> Self {
        Self::LibraryFailed
    }
}

impl From<KeyUnfit> for NotUnwrapped {
    fn from(_: KeyUnfit) -> Self {
        Self
    }
}

impl From<Unspecified> for NotUnwrapped {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

/// A key that wraps.
enum Kek<'a> {
    Aws(AesKek),
    Aes192(&'a [u8]),
}

impl<'a> Kek<'a> {
    fn new(key: &'a [u8]) -> Result<Self, KeyUnfit> {
        let aws = match key.len() {
            16 => AesKek::new(&AES_128, key),
            24 => return Ok(Self::Aes192(key)),
            32 => AesKek::new(&AES_256, key),
            _ => return Err(KeyUnfit),
        };
        aws.map(Self::Aws).map_err(|_| KeyUnfit)
    }
}

/// Pads as PKCS #5 does, by 1 to 8 bytes, and wraps by RFC 3394.
pub fn wrap_pkcs5(key: &[u8], value: &[u8]) -> Result<Vec<u8>, NotWrapped> {
    let padding = BLOCK - value.len() % BLOCK;
    let length = value.len().saturating_add(padding);
    let mut padded = Zeroizing::new(Vec::with_capacity(length));
    padded.extend_from_slice(value);
    padded.resize(length, u8::try_from(padding).map_err(|_| NotWrapped::LengthUnfit)?);
    if length > BLOCK {
        return wrap(key, &padded);
    }
    // RFC 3394 begins with two blocks, but its steps do for one, too, and short secrets have to go in and out.
    let mut wrapped = vec![0; 2 * BLOCK];
    Kek::new(key)?;
    by_crate(key, Step::Wrap, &padded, &mut wrapped).map_err(|_| NotWrapped::LibraryFailed)?;
    Ok(wrapped)
}

/// Reverses [`wrap_pkcs5`].
pub fn unwrap_pkcs5(key: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotUnwrapped> {
    let mut value = if wrapped.len() == 2 * BLOCK {
        let mut value = Zeroizing::new(vec![0; BLOCK]);
        by_crate(key, Step::Unwrap, wrapped, &mut value).map_err(|_| NotUnwrapped)?;
        value
    } else {
        unwrap(key, wrapped)?
    };
    let padding = usize::from(*value.last().ok_or(NotUnwrapped)?);
    let length = value.len().checked_sub(padding).ok_or(NotUnwrapped)?;
    let is_padding = value.iter().skip(length).all(|byte| usize::from(*byte) == padding);
    value.truncate(length);
    if is_padding && (1..=BLOCK).contains(&padding) { Ok(value) } else { Err(NotUnwrapped) }
}

/// RFC 3394: whole blocks, two or more.
pub fn wrap(key: &[u8], value: &[u8]) -> Result<Vec<u8>, NotWrapped> {
    let key = Kek::new(key)?;
    if value.len() < 2 * BLOCK || !value.len().is_multiple_of(BLOCK) {
        return Err(NotWrapped::LengthUnfit);
    }
    let mut wrapped = vec![0; value.len().saturating_add(BLOCK)];
    match key {
        Kek::Aws(key) => key.wrap(value, &mut wrapped).map(|_| ())?,
        Kek::Aes192(key) => {
            by_crate(key, Step::Wrap, value, &mut wrapped).map_err(|_| NotWrapped::LibraryFailed)?;
        }
    }
    Ok(wrapped)
}

/// Reverses [`wrap`].
pub fn unwrap(key: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotUnwrapped> {
    let key = Kek::new(key)?;
    if wrapped.len() < 3 * BLOCK {
        return Err(NotUnwrapped);
    }
    let mut value = Zeroizing::new(vec![0; wrapped.len().saturating_sub(BLOCK)]);
    match key {
        Kek::Aws(key) => key.unwrap(wrapped, &mut value).map(|_| ())?,
        Kek::Aes192(key) => by_crate(key, Step::Unwrap, wrapped, &mut value).map_err(|_| NotUnwrapped)?,
    }
    Ok(value)
}

enum Step {
    Wrap,
    Unwrap,
}

/// RFC 3394, by the other library.
fn by_crate(key: &[u8], step: Step, input: &[u8], output: &mut [u8]) -> Result<(), Error> {
    let size = |_| Error::InvalidDataSize;
    match (key.len(), step) {
        (16, Step::Wrap) => KwAes128::new_from_slice(key).map_err(size)?.wrap_key(input, output),
        (16, Step::Unwrap) => KwAes128::new_from_slice(key).map_err(size)?.unwrap_key(input, output),
        (24, Step::Wrap) => KwAes192::new_from_slice(key).map_err(size)?.wrap_key(input, output),
        (24, Step::Unwrap) => KwAes192::new_from_slice(key).map_err(size)?.unwrap_key(input, output),
        (_, Step::Wrap) => KwAes256::new_from_slice(key).map_err(size)?.wrap_key(input, output),
        (_, Step::Unwrap) => KwAes256::new_from_slice(key).map_err(size)?.unwrap_key(input, output),
    }
    .map(|_| ())
}

/// RFC 5649: any length but 0.
pub fn wrap_with_padding(key: &[u8], value: &[u8]) -> Result<Vec<u8>, NotWrapped> {
    let key = Kek::new(key)?;
    if value.is_empty() {
        return Err(NotWrapped::LengthUnfit);
    }
    let mut wrapped = vec![0; value.len().next_multiple_of(BLOCK).saturating_add(BLOCK)];
    match key {
        Kek::Aws(key) => key.wrap_with_padding(value, &mut wrapped).map(|_| ())?,
        Kek::Aes192(key) => {
            let key = KwpAes192::new_from_slice(key).map_err(|_| KeyUnfit)?;
            key.wrap_key(value, &mut wrapped).map_err(|_| NotWrapped::LibraryFailed)?;
        }
    }
    Ok(wrapped)
}

/// Reverses [`wrap_with_padding`].
pub fn unwrap_with_padding(key: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotUnwrapped> {
    let key = Kek::new(key)?;
    if wrapped.len() < 2 * BLOCK {
        return Err(NotUnwrapped);
    }
    let mut value = Zeroizing::new(vec![0; wrapped.len()]);
    let length = match key {
        Kek::Aws(key) => key.unwrap_with_padding(wrapped, &mut value)?.len(),
        Kek::Aes192(key) => {
            let key = KwpAes192::new_from_slice(key).map_err(|_| KeyUnfit)?;
            key.unwrap_key(wrapped, &mut value).map_err(|_| NotUnwrapped)?.len()
        }
    };
    value.truncate(length);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXUPPER;

    use super::{
        NotUnwrapped, NotWrapped, unwrap, unwrap_pkcs5, unwrap_with_padding, wrap, wrap_pkcs5,
        wrap_with_padding,
    };

    const KEK: &str = "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F";
    const VALUE: &str = "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F";

    /// RFC 3394, 4.1 to 4.6: the lengths of key and value, and the wrapped value.
    const RFC_3394: [(usize, usize, &str); 6] = [
        (16, 16, "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5"),
        (24, 16, "96778B25AE6CA435F92B5B97C050AED2468AB8A17AD84E5D"),
        (32, 16, "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7"),
        (24, 24, "031D33264E15D33268F24EC260743EDCE1C6C7DDEE725A936BA814915C6762D2"),
        (32, 24, "A8F9BC1612C68B3FF6E6F4FBE30E71E4769C8B80A32CB8958CD5D17D6B254DA1"),
        (32, 32, "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21"),
    ];

    /// RFC 5649, 6: the value and the wrapped value.
    const RFC_5649: [(&str, &str); 2] = [
        (
            "C37B7E6492584340BED12207808941155068F738",
            "138BDEAA9B8FA7FC61F97742E72248EE5AE6AE5360D1AE6A5F54F373FA543B6A",
        ),
        ("466F7250617369", "AFBEB0F07DFBF5419200F2CCB50BB24F"),
    ];

    #[test]
    fn rfc_3394_and_rfc_5649_wrap_so() {
        for (key, value, expected) in RFC_3394 {
            let (key, value) = (&bytes(KEK)[..key], &bytes(VALUE)[..value]);
            assert_eq!(wrap(key, value).unwrap(), bytes(expected));
            assert_eq!(*unwrap(key, &bytes(expected)).unwrap(), value);
        }
        let key = bytes("5840DF6E29B02AF1AB493B705BF16EA1AE8338F4DCC176A8");
        for (value, expected) in RFC_5649 {
            assert_eq!(wrap_with_padding(&key, &bytes(value)).unwrap(), bytes(expected));
            assert_eq!(*unwrap_with_padding(&key, &bytes(expected)).unwrap(), bytes(value));
        }
    }

    #[test]
    fn padding_is_pkcs5s_and_nothing_else() {
        for key in [16, 24, 32].map(|length| bytes(KEK)[..length].to_vec()) {
            for length in 1..=32 {
                let (value, padding) = (&bytes(VALUE)[..length], 8 - length % 8);
                let padded = [value, &vec![u8::try_from(padding).unwrap(); padding]].concat();
                let wrapped = wrap_pkcs5(&key, value).unwrap();
                match padded.len() {
                    8 => assert_eq!(wrapped.len(), 16),
                    _ => assert_eq!(wrapped, wrap(&key, &padded).unwrap()),
                }
                assert_eq!(*unwrap_pkcs5(&key, &wrapped).unwrap(), value);
            }
            for end in [[8, 0], [8, 9], [8, 255], [1, 2], [3, 3]] {
                let padded = [&bytes(VALUE)[..14], &end].concat();
                assert_eq!(unwrap_pkcs5(&key, &wrap(&key, &padded).unwrap()), Err(NotUnwrapped), "{end:?}");
            }
        }
    }

    #[test]
    fn lengths_that_the_rfcs_do_not_know_are_refused() {
        let value = bytes(VALUE);
        for key in [16, 24, 32].map(|length| bytes(KEK)[..length].to_vec()) {
            for length in [0, 1, 8, 15, 17, 31] {
                assert_eq!(wrap(&key, &value[..length]), Err(NotWrapped::LengthUnfit), "{length}");
            }
            assert_eq!(wrap_with_padding(&key, &[]), Err(NotWrapped::LengthUnfit));
            for length in [0, 7, 8, 15, 16, 23, 25, 32] {
                assert_eq!(unwrap(&key, &value[..length]), Err(NotUnwrapped), "{length}");
                assert_eq!(unwrap_pkcs5(&key, &value[..length]), Err(NotUnwrapped), "{length}");
                assert_eq!(unwrap_with_padding(&key, &value[..length]), Err(NotUnwrapped), "{length}");
            }
        }
        for length in [0, 15, 17, 33] {
            assert_eq!(wrap(&vec![1; length], &value), Err(NotWrapped::KeyUnfit));
            assert_eq!(unwrap(&vec![1; length], &value), Err(NotUnwrapped));
        }
    }

    fn bytes(hex: &str) -> Vec<u8> {
        HEXUPPER.decode(hex.as_bytes()).unwrap()
    }
}
