//! How keys are wrapped.

use serde::{Deserialize, Serialize};

use super::key::{Hash, KeyType};

/// How a key's value is encrypted under another key. New ones go to the end: the order is the wire format, and the
/// format of the files that hold wrapped keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WrapMechanism {
    /// 4: PKCS #5 padding, then AES key wrap (RFC 3394).
    AesWrapPkcs5,
    /// 5: AES key wrap (RFC 3394), without padding.
    AesWrap,
    /// 6: AES key wrap with padding (RFC 5649).
    AesWrapPad,
    /// 7: a random AES key by RSA-OAEP, and under it the value by AES key wrap with padding
    /// (PKCS #11's `CKM_RSA_AES_KEY_WRAP`).
    RsaAes(Hash),
    /// 8: RSA-OAEP, with this hash for the mask too.
    RsaOaep(Hash),
    /// 10: AES-GCM; the IV is apart.
    AesGcm(Gcm),
    /// 11: AES-GCM; the IV comes first.
    CloudHsmAesGcm(Gcm),
    /// 12: RSA, PKCS #1 v1.5.
    RsaPkcs,
}

impl WrapMechanism {
    /// The type of the key that wraps, or of the pair whose public key wraps.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        match self {
            Self::AesWrapPkcs5
            | Self::AesWrap
            | Self::AesWrapPad
            | Self::AesGcm(_)
            | Self::CloudHsmAesGcm(_) => KeyType::Aes,
            Self::RsaAes(_) | Self::RsaOaep(_) | Self::RsaPkcs => KeyType::Rsa,
        }
    }
}

/// What both sides of AES-GCM must know beside the key and the IV.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gcm {
    /// Authenticated with the value, and no part of the wrapped bytes.
    pub aad: Vec<u8>,
    /// How much of the tag follows the encrypted value.
    pub tag: TagLength,
}

/// The length of an AES-GCM tag: 8 to 16 bytes. The default is all 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct TagLength(u8);

/// A tag is not as long as this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an AES-GCM tag has 8 to 16 bytes")]
pub struct NoSuchTagLength;

impl TagLength {
    /// All lengths.
    pub const RANGE: std::ops::RangeInclusive<u8> = 8..=16;

    /// In bytes.
    #[must_use]
    pub fn bytes(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for TagLength {
    fn default() -> Self {
        Self(*Self::RANGE.end())
    }
}

impl TryFrom<u8> for TagLength {
    type Error = NoSuchTagLength;

    fn try_from(bytes: u8) -> Result<Self, NoSuchTagLength> {
        if Self::RANGE.contains(&bytes) { Ok(Self(bytes)) } else { Err(NoSuchTagLength) }
    }
}

impl From<TagLength> for u8 {
    fn from(length: TagLength) -> Self {
        length.0
    }
}

#[cfg(test)]
mod tests {
    use super::{TagLength, WrapMechanism};

    #[test]
    fn a_tag_of_no_length_is_not_read() {
        let bytes = postcard::to_stdvec(&WrapMechanism::AesGcm(super::Gcm::default())).unwrap();
        assert_eq!(bytes, [5, 0, 16]);
        for length in 0..=u8::MAX {
            let read = postcard::from_bytes::<WrapMechanism>(&[5, 0, length]);
            assert_eq!(read.is_ok(), (8..=16).contains(&length), "{length}");
            assert_eq!(TagLength::try_from(length).is_ok(), read.is_ok(), "{length}");
        }
    }
}
