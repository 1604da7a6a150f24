//! AES-GCM.

use aws_lc_rs::aead::{AES_128_GCM, AES_192_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::{KeyUnfit, NotUnwrapped, NotWrapped};
use crate::protocol::wrapping::{Gcm, TagLength};

/// The length of an IV. GCM takes others, which are less safe.
pub(super) const IV: usize = 12;

/// Encrypts under a random IV, and returns that first.
pub(super) fn seal(key: &[u8], gcm: &Gcm, value: &[u8]) -> Result<([u8; IV], Vec<u8>), NotWrapped> {
    let key = aes(key)?;
    let mut iv = [0; IV];
    rand::fill(&mut iv)?;
    let mut bytes = value.to_vec();
    let tag = encrypt(&key, iv, &gcm.aad, &mut bytes)?;
    bytes.extend(tag.as_ref().iter().take(gcm.tag.bytes()));
    Ok((iv, bytes))
}

/// Reverses [`seal`].
pub(super) fn open(
    key: &[u8],
    gcm: &Gcm,
    iv: &[u8],
    bytes: &[u8],
) -> Result<Zeroizing<Vec<u8>>, NotUnwrapped> {
    let key = aes(key)?;
    let iv = <[u8; IV]>::try_from(iv).map_err(|_| NotUnwrapped)?;
    let length = bytes.len().checked_sub(gcm.tag.bytes()).ok_or(NotUnwrapped)?;
    let (encrypted, tag) = bytes.split_at_checked(length).ok_or(NotUnwrapped)?;
    let mut value = Zeroizing::new(encrypted.to_vec());
    if gcm.tag == TagLength::default() {
        key.open_in_place_separate_tag(nonce(iv), Aad::from(&gcm.aad), tag, &mut value).map(|_| ())?;
        return Ok(value);
    }
    // aws-lc-rs checks whole tags only. In counter mode encrypting is decrypting; so encrypting once gives the value,
    // and encrypting that gives the whole tag, of which as much as there is must be equal.
    let _tag_of_the_reverse = encrypt(&key, iv, &gcm.aad, &mut value)?;
    let whole = encrypt(&key, iv, &gcm.aad, &mut Zeroizing::new(value.to_vec()))?;
    let expected = whole.as_ref().get(..tag.len()).ok_or(NotUnwrapped)?;
    verify_slices_are_equal(expected, tag)?;
    Ok(value)
}

fn aes(key: &[u8]) -> Result<LessSafeKey, KeyUnfit> {
    let algorithm = match key.len() {
        16 => &AES_128_GCM,
        24 => &AES_192_GCM,
        32 => &AES_256_GCM,
        _ => return Err(KeyUnfit),
    };
    UnboundKey::new(algorithm, key).map(LessSafeKey::new).map_err(|_| KeyUnfit)
}

fn encrypt(key: &LessSafeKey, iv: [u8; IV], aad: &[u8], bytes: &mut [u8]) -> Result<Tag, Unspecified> {
    key.seal_in_place_separate_tag(nonce(iv), Aad::from(aad), bytes)
}

fn nonce(iv: [u8; IV]) -> Nonce {
    Nonce::assume_unique_for_key(iv)
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::open;
    use crate::hsmd::cryptography::wrapping::NotUnwrapped;
    use crate::protocol::wrapping::{Gcm, TagLength};

    const KEY: &str = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
    const IV: &str = "cafebabefacedbaddecaf888";
    const AAD: &str = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
    const VALUE: &str = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                         1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";

    /// Test cases 4, 10 and 16 of McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)", appendix B: the
    /// length of the key, the encrypted value and the tag.
    const CASES: [(usize, &str, &str); 3] = [
        (
            16,
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e\
             21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
            "5bc94fbc3221a5db94fae95ae7121a47",
        ),
        (
            24,
            "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c\
             7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710",
            "2519498e80f1478f37ba55bd6d27618c",
        ),
        (
            32,
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
             8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
            "76fc6ece0f4e1768cddf8853bb2d551b",
        ),
    ];

    #[test]
    fn the_published_cases_open_with_tags_of_every_length() {
        let (key, iv, value) = (bytes(KEY), bytes(IV), bytes(VALUE));
        for (length, encrypted, tag) in CASES {
            for cut in 8..=16 {
                let gcm = Gcm { aad: bytes(AAD), tag: TagLength::try_from(cut).unwrap() };
                let mut wrapped = [bytes(encrypted), bytes(tag)[..usize::from(cut)].to_vec()].concat();
                assert_eq!(*open(&key[..length], &gcm, &iv, &wrapped).unwrap(), value, "{length} {cut}");
                let other = Gcm { aad: b"other".to_vec(), ..gcm };
                assert_eq!(open(&key[..length], &other, &iv, &wrapped), Err(NotUnwrapped));
                *wrapped.last_mut().unwrap() ^= 1;
                assert_eq!(open(&key[..length], &other, &iv, &wrapped), Err(NotUnwrapped));
            }
        }
    }

    fn bytes(hex: &str) -> Vec<u8> {
        HEXLOWER.decode(hex.as_bytes()).unwrap()
    }
}
