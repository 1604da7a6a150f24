//! Private keys in PEM, encrypted or not, and signing with them.

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

/// An RSA key of 2048 bits, as every officer's.
pub struct PrivateKey(RsaKeyPair);

/// A key's file, read and not decrypted yet.
pub struct Locked {
    encoding: Encoding,
    content: Zeroizing<Vec<u8>>,
}

/// How the PEM block encodes the key.
enum Encoding {
    Pkcs8,
    EncryptedPkcs8,
    Pkcs1,
    /// Encrypted with the cipher of this header.
    LegacyPkcs1(String),
    /// Not an RSA key.
    Other,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum NoKey {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// There is no such PEM block in it.
    #[error("not a private key in PEM (PRIVATE KEY, ENCRYPTED PRIVATE KEY or RSA PRIVATE KEY)")]
    NotPem,
    /// Which of the two it is cannot be known.
    #[error("cannot decrypt the key: the pass phrase is wrong, or the encryption is not supported")]
    PassPhrase,
    /// An old or unusual scheme.
    #[error(
        "the key's encryption is not supported; openssl pkcs8 -topk8 -v2 aes-256-cbc -in KEY -out NEW \
         makes a key that is"
    )]
    Encryption,
    /// Another algorithm or size, or a damaged key.
    #[error("not an RSA key of 2048 bits")]
    NotRsa,
    /// The cryptographic library failed.
    #[error("the key could not be used")]
    Unusable,
}

/// Larger than any key's file, in bytes.
const MAX_FILE: u64 = 64 * 1024;

impl Locked {
    /// Reads a key's file.
    ///
    /// # Errors
    ///
    /// If it does not hold a private key.
    pub fn load(path: &str) -> Result<Self, NoKey> {
        let text = match read_text(path, MAX_FILE) {
            Err(Unreadable::NotText) => return Err(NoKey::NotPem),
            text => Zeroizing::new(text?),
        };
        // Not the first block: it may be EC or DSA parameters.
        let blocks = pem::parse_many(text.as_bytes()).map_err(|_| NoKey::NotPem)?;
        let key = blocks.into_iter().find(|block| block.tag().ends_with("PRIVATE KEY"));
        let key = key.ok_or(NoKey::NotPem)?;
        let encoding = match key.tag() {
            "PRIVATE KEY" => Encoding::Pkcs8,
            "ENCRYPTED PRIVATE KEY" => Encoding::EncryptedPkcs8,
            "RSA PRIVATE KEY" => legacy::cipher_of(&key).map_or(Encoding::Pkcs1, Encoding::LegacyPkcs1),
            _ => Encoding::Other,
        };
        Ok(Self { encoding, content: Zeroizing::new(key.into_contents()) })
    }

    /// Whether a pass phrase is needed to open it.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        match self.encoding {
            Encoding::EncryptedPkcs8 | Encoding::LegacyPkcs1(_) => true,
            Encoding::Pkcs8 | Encoding::Pkcs1 | Encoding::Other => false,
        }
    }

    /// The key itself.
    ///
    /// # Errors
    ///
    /// If the pass phrase is wrong or missing, or the key is not an RSA key of 2048 bits.
    pub fn open(&self, pass_phrase: Option<&Secret>) -> Result<PrivateKey, NoKey> {
        let phrase = || pass_phrase.map(Secret::expose).ok_or(NoKey::PassPhrase);
        let pair = match &self.encoding {
            Encoding::EncryptedPkcs8 => {
                let info = EncryptedPrivateKeyInfoRef::try_from(self.content.as_slice());
                let info = info.map_err(|_| NoKey::Encryption)?;
                let pkcs8 = info.decrypt(phrase()?).map_err(|_| NoKey::PassPhrase)?;
                RsaKeyPair::from_pkcs8(pkcs8.as_bytes())
            }
            Encoding::LegacyPkcs1(cipher) => {
                let pkcs1 = legacy::decrypt(cipher, &self.content, phrase()?).ok_or(NoKey::PassPhrase)?;
                // Once in about 256 times the padding looks right with a wrong pass phrase.
                return of_2048_bits(RsaKeyPair::from_der(&pkcs1).map_err(|_| NoKey::PassPhrase)?);
            }
            Encoding::Pkcs1 => RsaKeyPair::from_der(&self.content),
            Encoding::Pkcs8 => RsaKeyPair::from_pkcs8(&self.content),
            Encoding::Other => return Err(NoKey::NotRsa),
        };
        of_2048_bits(pair.map_err(|_| NoKey::NotRsa)?)
    }
}

fn of_2048_bits(pair: RsaKeyPair) -> Result<PrivateKey, NoKey> {
    if pair.public_modulus_len() == SIGNATURE { Ok(PrivateKey(pair)) } else { Err(NoKey::NotRsa) }
}

impl PrivateKey {
    /// The signature that `openssl dgst -sha256 -sign` makes.
    ///
    /// # Errors
    ///
    /// If the cryptographic library fails.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, NoKey> {
        let mut signature = vec![0; SIGNATURE];
        let signed = self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        signed.map(|()| signature).map_err(|_| NoKey::Unusable)
    }

    /// The signature of a digest that `openssl pkeyutl -sign -pkeyopt digest:sha256` makes.
    ///
    /// # Errors
    ///
    /// If the cryptographic library fails.
    pub fn sign_digest(&self, digest: second_factor::Digest) -> Result<Vec<u8>, NoKey> {
        let mut signature = vec![0; SIGNATURE];
        let digest = Digest::import_less_safe(&digest.0, &SHA256).map_err(|_| NoKey::Unusable)?;
        let signed = self.0.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut signature);
        signed.map(|()| signature).map_err(|_| NoKey::Unusable)
    }

    /// The public key in PEM, as `openssl rsa -pubout` writes it.
    ///
    /// # Errors
    ///
    /// If the cryptographic library fails.
    pub fn public_pem(&self) -> Result<String, NoKey> {
        let der = AsDer::<PublicKeyX509Der<'_>>::as_der(self.0.public_key()).map_err(|_| NoKey::Unusable)?;
        let lines = EncodeConfig::new().set_line_ending(LineEnding::LF);
        Ok(pem::encode_config(&Pem::new("PUBLIC KEY", der.as_ref()), lines))
    }
}
