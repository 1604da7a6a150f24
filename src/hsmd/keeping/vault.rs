//! The HSM's cryptography: makes keys, keeps their values encrypted, and masks them for its clone family.
//!
//! It has two secrets, each in a file of its own: this HSM's master key encrypts the key values in the store, and
//! the masking key of its clone family encrypts masked objects.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hmac, rand};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::hsm::{Copied, CopiedKey, Material, NewKey, PasswordHash, Wrapped};
use crate::hsmd::cryptography::keys::{self, Fresh};
use crate::hsmd::cryptography::signing;
use crate::protocol::Refusal;
use crate::protocol::compare::Print;
use crate::protocol::key::{KeyHandle, KeySpec, SignMechanism};
use crate::protocol::user::UserType;

/// The clone family's name and secret, shared by all HSMs made from one cluster or its backups.
#[derive(Clone, Serialize, Deserialize)]
pub struct Family {
    /// Distinguishes another family's masked object from a damaged one.
    pub id: [u8; 16],
    /// AES-256.
    pub masking_key: Zeroizing<[u8; 32]>,
}

/// The key that encrypts an HSM's key values: AES-256.
pub type MasterKey = Zeroizing<[u8; 32]>;

/// The cryptography of one HSM.
pub struct Vault {
    master: RandomizedNonceKey,
    masking: RandomizedNonceKey,
    fingerprint: hmac::Key,
    /// Salts and prints of passwords.
    passwords: hmac::Key,
    family: [u8; 16],
}

/// The library could not make a random number or use a key.
#[derive(Debug, thiserror::Error)]
#[error("the cryptographic library failed")]
pub struct CryptoFailed;

/// The first bytes of a masked object; the digit is the version of the format.
const MAGIC: &[u8; 8] = b"CHSMOBJ1";

/// Bytes of an AES-GCM nonce.
const NONCE: usize = 12;

/// Bytes of an AES-GCM tag.
const TAG: usize = 16;

impl Family {
    /// Makes a new family.
    ///
    /// # Errors
    ///
    /// If there are no random numbers.
    pub fn new() -> Result<Self, CryptoFailed> {
        let mut id = [0; 16];
        rand::fill(&mut id).map_err(|_| CryptoFailed)?;
        Ok(Self { id, masking_key: random_key()? })
    }

    /// The content of the file: the id, then the key.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([self.id.as_slice(), self.masking_key.as_slice()].concat())
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, key) = bytes.split_first_chunk::<16>()?;
        Some(Self { id: *id, masking_key: Zeroizing::new(<[u8; 32]>::try_from(key).ok()?) })
    }
}

/// Makes an AES-256 key.
///
/// # Errors
///
/// If there are no random numbers.
pub fn random_key() -> Result<Zeroizing<[u8; 32]>, CryptoFailed> {
    let mut key = Zeroizing::new([0; 32]);
    rand::fill(key.as_mut_slice()).map_err(|_| CryptoFailed)?;
    Ok(key)
}

impl Vault {
    /// The cryptography of an HSM with these secrets.
    ///
    /// # Errors
    ///
    /// If the library does not accept them.
    pub fn new(master: &MasterKey, family: &Family) -> Result<Self, CryptoFailed> {
        let key = |bytes: &[u8; 32]| RandomizedNonceKey::new(&AES_256_GCM, bytes).map_err(|_| CryptoFailed);
        Ok(Self {
            master: key(master)?,
            masking: key(&family.masking_key)?,
            fingerprint: derived_key(family, b"hsmd key fingerprints"),
            passwords: derived_key(family, b"hsmd passwords"),
            family: family.id,
        })
    }

    /// Makes a key or a key pair.
    ///
    /// # Errors
    ///
    /// If the library cannot.
    pub fn generate(&self, spec: KeySpec) -> Result<Vec<NewKey>, CryptoFailed> {
        let fresh = keys::generate(spec).map_err(|_| CryptoFailed)?;
        let keep =
            |Fresh { attributes, value }: Fresh| Ok(NewKey { attributes, material: self.keep(&value)? });
        fresh.into_iter().map(keep).collect()
    }

    /// Signs a hash with a private key.
    ///
    /// # Errors
    ///
    /// [`Refusal::KeyUnfit`] if the mechanism does not fit the key.
    pub fn sign(&self, key: &Material, mechanism: SignMechanism, hash: &[u8]) -> Result<Vec<u8>, Refusal> {
        let value = self.value(key).map_err(|_| Refusal::OutOfResources)?;
        signing::sign(&value, mechanism, hash).map_err(|_| Refusal::KeyUnfit)
    }

    /// Makes a masked object: encrypts a user or a key for the clone family.
    ///
    /// # Errors
    ///
    /// If a key's value cannot be decrypted, or the library fails.
    pub fn mask(&self, copied: Copied) -> Result<Vec<u8>, CryptoFailed> {
        let copied = match copied {
            user @ Copied::User(_) => user,
            Copied::Key(key) => {
                let value = self.value(&key.material)?;
                let wrapped = Wrapped(seal(&self.masking, b"value", &value)?);
                let material = Material { wrapped, ..key.material };
                Copied::Key(CopiedKey { material, ..key })
            }
        };
        let header = [MAGIC.as_slice(), &self.family].concat();
        // With room for all of it: a vector that grows is copied, and what it leaves is wiped.
        let size = postcard::experimental::serialized_size(&copied).map_err(|_| CryptoFailed)?;
        let plain = postcard::to_extend(&copied, Vec::with_capacity(size)).map_err(|_| CryptoFailed)?;
        let sealed = seal(&self.masking, &header, &Zeroizing::new(plain))?;
        Ok([header, sealed].concat())
    }

    /// Makes the masked objects of several keys; `None` for one whose value cannot be decrypted.
    #[must_use]
    pub fn mask_all(&self, keys: Vec<CopiedKey>) -> Vec<(KeyHandle, Option<Vec<u8>>)> {
        keys.into_iter().map(|key| (key.handle, self.mask(Copied::Key(key)).ok())).collect()
    }

    /// Decrypts a masked object, and re-encrypts a key's value in it under this HSM's master key.
    ///
    /// # Errors
    ///
    /// If it is not a masked object, was altered, or belongs to another family.
    pub fn unmask(&self, object: &[u8]) -> Result<Copied, Refusal> {
        let damaged = Refusal::MaskedObjectInvalid;
        let (header, sealed) = object.split_at_checked(MAGIC.len() + self.family.len()).ok_or(damaged)?;
        let family = header.strip_prefix(MAGIC.as_slice()).ok_or(damaged)?;
        if family != self.family {
            return Err(Refusal::MaskedObjectForeign);
        }
        let plain = open(&self.masking, header, sealed).ok_or(damaged)?;
        match postcard::from_bytes(&plain).map_err(|_| damaged)? {
            Copied::User(user) => Ok(Copied::User(user)),
            Copied::Key(key) => {
                let value = open(&self.masking, b"value", &key.material.wrapped.0).ok_or(damaged)?;
                let material = self.keep(&value).map_err(|_| damaged)?;
                Ok(Copied::Key(CopiedKey { material, ..key }))
            }
        }
    }

    /// The name of the clone family.
    #[must_use]
    pub fn family(&self) -> [u8; 16] {
        self.family
    }

    /// The salt for a user's password: the same on all HSMs of the family, so that they can compare the hashes, and
    /// unknown to everybody else. Once a PRECO has a password, it is a CO.
    #[must_use]
    pub fn salt(&self, user_type: UserType, name: &str) -> [u8; 16] {
        let user_type = if user_type == UserType::PreCo { UserType::Co } else { user_type };
        self.print(format!("salt {user_type} {}", name.to_ascii_lowercase()).as_bytes())
    }

    /// The prints of a password's hash: of how it was made, and of all of it. Without the family's key they say
    /// nothing, not even to somebody who tries passwords.
    #[must_use]
    pub fn prints(&self, PasswordHash(hash): &PasswordHash) -> (Print, Print) {
        let method = hash.rsplit_once('$').map_or("", |(method, _)| method);
        (self.print(format!("method {method}").as_bytes()), self.print(format!("hash {hash}").as_bytes()))
    }

    fn print(&self, bytes: &[u8]) -> Print {
        hmac::sign(&self.passwords, bytes).as_ref().first_chunk().copied().unwrap_or_default()
    }

    /// Decrypts a key's value: raw bytes, PKCS #8 of a private key, SubjectPublicKeyInfo of a public key.
    ///
    /// # Errors
    ///
    /// If another HSM encrypted it.
    pub fn value(&self, material: &Material) -> Result<Zeroizing<Vec<u8>>, CryptoFailed> {
        open(&self.master, b"value", &material.wrapped.0).ok_or(CryptoFailed)
    }

    /// Encrypts a key's value under this HSM's master key.
    ///
    /// # Errors
    ///
    /// If the library fails.
    pub fn keep(&self, value: &Zeroizing<Vec<u8>>) -> Result<Material, CryptoFailed> {
        let tag = hmac::sign(&self.fingerprint, value);
        Ok(Material {
            wrapped: Wrapped(seal(&self.master, b"value", value)?),
            fingerprint: <[u8; 32]>::try_from(tag.as_ref()).map_err(|_| CryptoFailed)?,
        })
    }
}

/// Each purpose has a key of its own, derived from the masking key: one key should not serve two algorithms. It is
/// the same in the whole family, so that HSMs can compare keys and passwords without seeing them.
fn derived_key(family: &Family, purpose: &[u8]) -> hmac::Key {
    let masking = hmac::Key::new(hmac::HMAC_SHA256, family.masking_key.as_slice());
    hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&masking, purpose).as_ref())
}

/// Encrypts with a key that serves only this purpose.
///
/// # Errors
///
/// If the library fails.
pub(in crate::hsmd) fn seal_with(
    key: &MasterKey,
    about: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, CryptoFailed> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| CryptoFailed)?;
    seal(&key, about, plain)
}

/// Decrypts what [`seal_with`] made; `None` if it was altered, or made with another key.
pub(in crate::hsmd) fn open_with(key: &MasterKey, about: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    open(&RandomizedNonceKey::new(&AES_256_GCM, key.as_slice()).ok()?, about, sealed)
}

/// AES-256-GCM with a random nonce, which comes first.
fn seal(key: &RandomizedNonceKey, about: &[u8], plain: &[u8]) -> Result<Vec<u8>, CryptoFailed> {
    // With room for the tag, the vector never grows: growing would leave a copy of the plaintext in freed memory.
    let mut sealed = Vec::with_capacity(plain.len().saturating_add(TAG));
    sealed.extend_from_slice(plain);
    let nonce = key.seal_in_place_append_tag(Aad::from(about), &mut sealed).map_err(|_| CryptoFailed)?;
    Ok([nonce.as_ref().as_slice(), &sealed].concat())
}

fn open(key: &RandomizedNonceKey, about: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = sealed.split_at_checked(NONCE)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut rest = Zeroizing::new(rest.to_vec());
    let length = key.open_in_place(nonce, Aad::from(about), rest.as_mut_slice()).ok()?.len();
    rest.truncate(length);
    Some(rest)
}
