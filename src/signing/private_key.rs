//! Private keys in PEM, encrypted or not, and what they sign.

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use pem::{EncodeConfig, LineEnding, Pem};
use pkcs8::EncryptedPrivateKeyInfoRef;
use zeroize::Zeroizing;

use super::legacy;
use crate::files::{Unreadable, read_text};
use crate::protocol::Secret;
use crate::protocol::quorum::SIGNATURE;
use crate::protocol::second_factor;

/// An RSA key of 2048 bits.
pub struct PrivateKey(RsaKeyPair);

/// A key's file, read and not opened yet.
pub struct Locked {
    kind: Kind,
    content: Zeroizing<Vec<u8>>,
}

/// What a block of PEM holds.
enum Kind {
    Pkcs8,
    EncryptedPkcs8,
    Pkcs1,
    /// Encrypted as the header says.
    LegacyPkcs1(String),
    /// A key of another kind.
    Other,
}

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
    /// Of an old or unusual kind.
    #[error(
        "the key's encryption is not supported; openssl pkcs8 -topk8 -v2 aes-256-cbc -in KEY -out NEW \
         makes a key that is"
    )]
    Encryption,
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
        let text = match read_text(path, MAX_FILE) {
            Err(Unreadable::NotText) => return Err(NoKey::NotPem),
            text => Zeroizing::new(text?),
        };
        // EC and DSA parameters may stand before the key.
        let blocks = pem::parse_many(text.as_bytes()).map_err(|_| NoKey::NotPem)?;
        let key = blocks.into_iter().find(|block| block.tag().ends_with("PRIVATE KEY"));
        let key = key.ok_or(NoKey::NotPem)?;
        let kind = match key.tag() {
            "PRIVATE KEY" => Kind::Pkcs8,
            "ENCRYPTED PRIVATE KEY" => Kind::EncryptedPkcs8,
            "RSA PRIVATE KEY" => legacy::cipher_of(&key).map_or(Kind::Pkcs1, Kind::LegacyPkcs1),
            _ => Kind::Other,
        };
        Ok(Self { kind, content: Zeroizing::new(key.into_contents()) })
    }

    /// Whether it takes a pass phrase to open it.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        match self.kind {
            Kind::EncryptedPkcs8 | Kind::LegacyPkcs1(_) => true,
            Kind::Pkcs8 | Kind::Pkcs1 | Kind::Other => false,
        }
    }

    /// The key itself.
    ///
    /// # Errors
    ///
    /// If the pass phrase is wrong, or it is no RSA key of 2048 bits.
    pub fn open(&self, pass_phrase: Option<&Secret>) -> Result<PrivateKey, NoKey> {
        let phrase = || pass_phrase.map(Secret::expose).ok_or(NoKey::PassPhrase);
        let pair = match &self.kind {
            Kind::EncryptedPkcs8 => {
                let info = EncryptedPrivateKeyInfoRef::try_from(self.content.as_slice());
                let info = info.map_err(|_| NoKey::Encryption)?;
                let pkcs8 = info.decrypt(phrase()?).map_err(|_| NoKey::PassPhrase)?;
                RsaKeyPair::from_pkcs8(pkcs8.as_bytes())
            }
            Kind::LegacyPkcs1(cipher) => {
                let pkcs1 = legacy::decrypt(cipher, &self.content, phrase()?).ok_or(NoKey::PassPhrase)?;
                // A wrong pass phrase can leave a padding that looks right.
                return of_2048_bits(RsaKeyPair::from_der(&pkcs1).map_err(|_| NoKey::PassPhrase)?);
            }
            Kind::Pkcs1 => RsaKeyPair::from_der(&self.content),
            Kind::Pkcs8 => RsaKeyPair::from_pkcs8(&self.content),
            Kind::Other => return Err(NoKey::NotRsa),
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
