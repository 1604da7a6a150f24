//! Private keys in PEM, encrypted or not, and what they sign.

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use pem::{EncodeConfig, LineEnding, Pem};
use pkcs8::EncryptedPrivateKeyInfoRef;
use zeroize::Zeroizing;

use super::file::{Unreadable, read_text};
use super::legacy;
use crate::protocol::Secret;
use crate::protocol::quorum::SIGNATURE;
use crate::protocol::second_factor;

/// An RSA key of 2048 bits.
pub struct PrivateKey(RsaKeyPair);

/// A key's file, read and not opened yet.
pub struct Locked(Pem);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum NoKey {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// There is no such block in it.
    #[error("not a private key in PEM (PRIVATE KEY, ENCRYPTED PRIVATE KEY or RSA PRIVATE KEY)")]
    NotPem,
    /// The cipher may be an unusual one, too.
    #[error("the key does not open: the pass phrase is wrong, or the encryption is not supported")]
    PassPhrase,
    /// Another kind, another size, or damaged.
    #[error("not an RSA key of 2048 bits")]
    NotRsa,
    /// The cryptographic library failed.
    #[error("the key could not be used")]
    Unusable,
}

/// Bytes of the largest file that could be one.
const MAX_FILE: u64 = 64 * 1024;

impl Locked {
    /// Reads a key's file.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn load(path: &str) -> Result<Self, NoKey> {
        let text = Zeroizing::new(read_text(path, MAX_FILE)?);
        // EC and DSA parameters may stand before the key.
        let blocks = pem::parse_many(text.as_bytes()).map_err(|_| NoKey::NotPem)?;
        let key = blocks.into_iter().find(|block| block.tag().ends_with("PRIVATE KEY"));
        key.map(Self).ok_or(NoKey::NotPem)
    }

    /// Whether it takes a pass phrase to open it.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.0.tag() == "ENCRYPTED PRIVATE KEY" || legacy::is_encrypted(&self.0)
    }

    /// The key itself.
    ///
    /// # Errors
    ///
    /// If the pass phrase is wrong, or it is no RSA key of 2048 bits.
    pub fn open(&self, pass_phrase: Option<&Secret>) -> Result<PrivateKey, NoKey> {
        let phrase = || pass_phrase.map(Secret::expose).ok_or(NoKey::PassPhrase);
        let pair = match self.0.tag() {
            "ENCRYPTED PRIVATE KEY" => {
                let info = EncryptedPrivateKeyInfoRef::try_from(self.0.contents());
                let info = info.map_err(|_| NoKey::NotPem)?;
                let pkcs8 = info.decrypt(phrase()?).map_err(|_| NoKey::PassPhrase)?;
                RsaKeyPair::from_pkcs8(pkcs8.as_bytes())
            }
            "RSA PRIVATE KEY" if legacy::is_encrypted(&self.0) => {
                let pkcs1 = legacy::decrypt(&self.0, phrase()?).ok_or(NoKey::PassPhrase)?;
                // A wrong pass phrase can leave a padding that looks right.
                return of_2048_bits(RsaKeyPair::from_der(&pkcs1).map_err(|_| NoKey::PassPhrase)?);
            }
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(self.0.contents()),
            "PRIVATE KEY" => RsaKeyPair::from_pkcs8(self.0.contents()),
            _ => return Err(NoKey::NotRsa),
        };
        of_2048_bits(pair.map_err(|_| NoKey::NotRsa)?)
    }
}

fn of_2048_bits(pair: RsaKeyPair) -> Result<PrivateKey, NoKey> {
    if pair.public_modulus_len() == SIGNATURE { Ok(PrivateKey(pair)) } else { Err(NoKey::NotRsa) }
}

impl PrivateKey {
    /// As `openssl dgst -sha256 -sign` signs.
    ///
    /// # Errors
    ///
    /// If the library cannot.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, NoKey> {
        let mut signature = vec![0; SIGNATURE];
        let signed = self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        signed.map(|()| signature).map_err(|_| NoKey::Unusable)
    }

    /// As `openssl pkeyutl -sign -pkeyopt digest:sha256` signs what is hashed already.
    ///
    /// # Errors
    ///
    /// If the library cannot.
    pub fn sign_digest(&self, digest: second_factor::Digest) -> Result<Vec<u8>, NoKey> {
        let mut signature = vec![0; SIGNATURE];
        let digest = Digest::import_less_safe(&digest.0, &SHA256).map_err(|_| NoKey::Unusable)?;
        let signed = self.0.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut signature);
        signed.map(|()| signature).map_err(|_| NoKey::Unusable)
    }

    /// The public half in PEM, as `openssl rsa -pubout` writes it.
    ///
    /// # Errors
    ///
    /// If the library cannot.
    pub fn public_pem(&self) -> Result<String, NoKey> {
        let der = AsDer::<PublicKeyX509Der<'_>>::as_der(self.0.public_key()).map_err(|_| NoKey::Unusable)?;
        let lines = EncodeConfig::new().set_line_ending(LineEnding::LF);
        Ok(pem::encode_config(&Pem::new("PUBLIC KEY", der.as_ref()), lines))
    }
}
