//! Bytes that go from inside an HSM to one client, which nobody else can read: not even whoever sees all that goes
//! over the connection in plaintext, such as a log of replies.
//!
//! Both sides make a key pair for the one answer (ECDH on P-256), derive a key from what they agree on (HKDF-SHA256),
//! and use it once (AES-256-GCM).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

use crate::protocol::SecretBytes;
use crate::protocol::wrap::Sealed;

/// One who waits for an answer.
pub struct Recipient {
    private: PrivateKey,
    public: Vec<u8>,
}

/// The other side's public key is not a point on P-256, the bytes were altered or are for another recipient, or the
/// library failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes cannot be sealed or opened")]
pub struct SealFailed;

impl From<Unspecified> for SealFailed {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

impl Recipient {
    /// With a new key.
    ///
    /// # Errors
    ///
    /// If the library fails.
    pub fn new() -> Result<Self, SealFailed> {
        let private = PrivateKey::generate(&ECDH_P256)?;
        let public = private.compute_public_key()?.as_ref().to_vec();
        Ok(Self { private, public })
    }

    /// For the question: an uncompressed point.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.public
    }

    /// The bytes of the answer.
    ///
    /// # Errors
    ///
    /// If they were altered, or are for somebody else.
    pub fn open(&self, sealed: &Sealed) -> Result<SecretBytes, SealFailed> {
        let key = agree(&self.private, &sealed.sender, [&sealed.sender, &self.public])?;
        let mut bytes = Zeroizing::new(sealed.sealed.clone());
        let length = key.open_in_place(nonce(), Aad::empty(), bytes.as_mut_slice())?.len();
        bytes.truncate(length);
        Ok(SecretBytes::new(bytes))
    }
}

/// Seals bytes for the holder of this public key.
///
/// # Errors
///
/// If it is not a point on P-256, or the library fails.
pub fn seal(recipient: &[u8], bytes: &[u8]) -> Result<Sealed, SealFailed> {
    let Recipient { private, public } = Recipient::new()?;
    let key = agree(&private, recipient, [&public, recipient])?;
    // With room for the tag, the vector never grows: growing would leave a copy of the plaintext in freed memory.
    let mut sealed = Vec::with_capacity(bytes.len().saturating_add(AES_256_GCM.tag_len()));
    sealed.extend_from_slice(bytes);
    key.seal_in_place_append_tag(nonce(), Aad::empty(), &mut sealed)?;
    Ok(Sealed { sender: public, sealed })
}

/// Both public keys go into the derived key: an answer opens only as what it was sealed as.
fn agree(own: &PrivateKey, other: &[u8], both: [&[u8]; 2]) -> Result<LessSafeKey, SealFailed> {
    agreement::agree(own, UnparsedPublicKey::new(&ECDH_P256, other), SealFailed, |secret| {
        let secret = Salt::new(HKDF_SHA256, b"hsmd sealed answer").extract(secret);
        Ok(LessSafeKey::new(UnboundKey::from(secret.expand(&both, &AES_256_GCM)?)))
    })
}

/// The key serves once.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

#[cfg(test)]
mod tests {
    use super::{Recipient, seal};

    #[test]
    fn the_recipient_alone_can_open_an_answer_and_only_as_it_was_sealed() {
        let (recipient, other) = (Recipient::new().unwrap(), Recipient::new().unwrap());
        let sealed = seal(recipient.public_key(), b"a key's value").unwrap();
        assert_eq!(recipient.open(&sealed).unwrap().expose(), b"a key's value");
        assert!(!sealed.sealed.windows(5).any(|part| part == b"value"));
        assert!(other.open(&sealed).is_err());
        for at in 0..sealed.sealed.len() {
            let mut altered = sealed.clone();
            altered.sealed[at] ^= 1;
            assert!(recipient.open(&altered).is_err(), "byte {at}");
        }
        let mut altered = sealed.clone();
        altered.sender = other.public_key().to_vec();
        assert!(recipient.open(&altered).is_err());
        let again = seal(recipient.public_key(), b"a key's value").unwrap();
        assert!(again.sender != sealed.sender && again.sealed != sealed.sealed);
    }

    #[test]
    fn a_recipient_is_a_point_on_the_curve() {
        let public = Recipient::new().unwrap().public_key().to_vec();
        assert_eq!((public.len(), public[0]), (65, 4));
        let mut beside = public.clone();
        beside[64] ^= 1;
        for bad in [&beside, &public[..64], &[], &[0; 65]] {
            assert!(seal(bad, b"value").is_err());
        }
    }
}
