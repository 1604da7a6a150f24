//! The file of a wrapped key: a header that says how to unwrap it and what it is, then the wrapped bytes.
//!
//! Nothing protects the header: it is what the file's writer says. So it holds nothing that an HSM must believe, such
//! as whether a key is trusted, and an HSM checks all of it against the rules as it does a request.

use serde::{Deserialize, Serialize};

use super::flags::Flags;
use super::key::{KeyClass, KeyType};
use super::wrapping::WrapMechanism;

/// What such a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedFile {
    /// What stands before the wrapped bytes.
    pub header: Header,
    /// What the mechanism made.
    pub wrapped: Vec<u8>,
}

/// How to unwrap a key, and what it is then. The additional data of AES-GCM is not written: whoever unwraps has to
/// know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// How it was wrapped.
    pub mechanism: WrapMechanism,
    /// The IV, if the mechanism keeps it apart; else empty.
    pub iv: Vec<u8>,
    /// Secret or private.
    pub class: KeyClass,
    /// Of the wrapped key.
    pub key_type: KeyType,
    /// Of the wrapped key.
    pub label: String,
    /// Of the wrapped key; empty is none.
    pub id: String,
    /// Of the wrapped key.
    pub flags: Flags,
}

/// The bytes are not the file of a wrapped key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAWrappedFile {
    /// Another kind of file, or wrapped bytes alone.
    #[error("the file does not begin with the header of a wrapped key")]
    NoHeader,
    /// This version writes only version 1.
    #[error("the header of the wrapped key is of version {0}; this program reads version 1")]
    Version(u8),
    /// Cut or altered.
    #[error("the header of the wrapped key is damaged")]
    Damaged,
}

/// What such a file begins with; a byte with the version and two with the length of the header follow.
const MAGIC: &[u8; 8] = b"CHSMWRAP";

/// How [`Header`] is encoded: by postcard, in the order of its fields.
const VERSION: u8 = 1;

impl WrappedFile {
    /// The whole content of the file.
    ///
    /// # Errors
    ///
    /// [`NotAWrappedFile::Damaged`] if the header has more than 65535 bytes: no key of an HSM has such a label.
    pub fn encode(&self) -> Result<Vec<u8>, NotAWrappedFile> {
        let header = self.header.without_additional_data();
        let header = postcard::to_stdvec(&header).map_err(|_| NotAWrappedFile::Damaged)?;
        let length = u16::try_from(header.len()).map_err(|_| NotAWrappedFile::Damaged)?;
        Ok([MAGIC.as_slice(), &[VERSION], &length.to_be_bytes(), &header, &self.wrapped].concat())
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    ///
    /// If the bytes are anything else. What follows the header is not looked at.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotAWrappedFile> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(NotAWrappedFile::NoHeader)?;
        let (version, rest) = rest.split_first().ok_or(NotAWrappedFile::Damaged)?;
        if *version != VERSION {
            return Err(NotAWrappedFile::Version(*version));
        }
        let (length, rest) = rest.split_first_chunk().ok_or(NotAWrappedFile::Damaged)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (header, wrapped) = rest.split_at_checked(length).ok_or(NotAWrappedFile::Damaged)?;
        match postcard::take_from_bytes::<Header>(header) {
            Ok((header, [])) if header == header.without_additional_data() => {
                Ok(Self { header, wrapped: wrapped.to_vec() })
            }
            Ok(_) | Err(_) => Err(NotAWrappedFile::Damaged),
        }
    }
}

impl Header {
    fn without_additional_data(&self) -> Self {
        let mut header = self.clone();
        match &mut header.mechanism {
            WrapMechanism::AesGcm(gcm) | WrapMechanism::CloudHsmAesGcm(gcm) => gcm.aad.clear(),
            WrapMechanism::AesWrapPkcs5
            | WrapMechanism::AesWrap
            | WrapMechanism::AesWrapPad
            | WrapMechanism::RsaAes(_)
            | WrapMechanism::RsaOaep(_)
            | WrapMechanism::RsaPkcs => (),
        }
        header
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Header, NotAWrappedFile, WrappedFile};
    use crate::protocol::flags::Flags;
    use crate::protocol::key::{Hash, KeyClass, KeyType};
    use crate::protocol::wrapping::{Gcm, TagLength, WrapMechanism};

    fn file(mechanism: WrapMechanism) -> WrappedFile {
        let flags = Flags { decrypt: true, unwrap: true, sign: true, destroyable: true, ..Flags::default() };
        let (label, id) = ("web".to_owned(), "7".to_owned());
        let (class, key_type) = (KeyClass::Private, KeyType::Rsa);
        let header = Header { mechanism, iv: vec![1; 12], class, key_type, label, id, flags };
        WrappedFile { header, wrapped: vec![9; 40] }
    }

    /// Files are kept for years.
    #[test]
    fn the_layout_stays_as_it_is() {
        let expected = [
            b"CHSMWRAP\x01\x00\x20".as_slice(),
            &[4, 3, 12, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 3, b'w', b'e', b'b', 1, b'7'],
            &[0, 1, 0, 1, 1, 0, 0, 1, 0],
            &[9; 40],
        ];
        let file = file(WrapMechanism::RsaOaep(Hash::Sha1));
        assert_eq!(file.encode().unwrap(), expected.concat());
        assert_eq!(WrappedFile::decode(&expected.concat()).unwrap(), file);
    }

    #[test]
    fn additional_data_is_not_written() {
        let tag = TagLength::try_from(12).unwrap();
        let secret = WrapMechanism::AesGcm(Gcm { aad: b"known to both".to_vec(), tag });
        let bytes = file(secret).encode().unwrap();
        assert!(!bytes.windows(5).any(|part| part == b"known"));
        let mechanism = WrapMechanism::AesGcm(Gcm { aad: Vec::new(), tag });
        assert_eq!(WrappedFile::decode(&bytes).unwrap(), file(mechanism));
        // The length of the data stands after the mechanism's number.
        let mut with = bytes.clone();
        with.splice(12..13, [1, b'x']);
        with[10] += 1;
        assert_eq!(WrappedFile::decode(&with), Err(NotAWrappedFile::Damaged));
    }

    #[test]
    fn what_is_cut_or_of_another_version_is_refused() {
        let bytes = file(WrapMechanism::AesWrapPad).encode().unwrap();
        let header = bytes.len() - 40;
        for end in 0..header {
            let expected = if end < 8 { NotAWrappedFile::NoHeader } else { NotAWrappedFile::Damaged };
            assert_eq!(WrappedFile::decode(&bytes[..end]), Err(expected), "cut at {end}");
        }
        let mut newer = bytes.clone();
        newer[8] = 2;
        assert_eq!(WrappedFile::decode(&newer), Err(NotAWrappedFile::Version(2)));
        assert_eq!(WrappedFile::decode(&[7; 40]), Err(NotAWrappedFile::NoHeader));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_header_or_an_error(rest in prop::collection::vec(any::<u8>(), 0..300)) {
            let length = u16::try_from(rest.len() / 2).unwrap();
            let bytes = [b"CHSMWRAP\x01", length.to_be_bytes().as_slice(), &rest].concat();
            if let Ok(file) = WrappedFile::decode(&bytes) {
                // A number has several encodings in postcard, so the bytes may differ, but not what they say.
                prop_assert_eq!(WrappedFile::decode(&file.encode().unwrap()).unwrap(), file);
            }
            let _ = WrappedFile::decode(&rest);
        }
    }
}
