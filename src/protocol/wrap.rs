//! Keys in and out of an HSM, always encrypted: by another of its keys, or for the caller alone.

use serde::{Deserialize, Serialize};

use super::about::About;
use super::flags::Flags;
use super::key::{KeyClass, KeyType, Template};
use super::key_handle::KeyHandle;
use super::secret::SecretBytes;
use super::wrapping::WrapMechanism;

/// Encrypts a key's value inside the HSM.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WrapKey {
    /// Owned by the caller, secret or private, with OBJ_ATTR_EXTRACTABLE.
    pub handle: KeyHandle,
    /// With OBJ_ATTR_WRAP, and trusted if the key demands that.
    pub wrapping: KeyHandle,
    /// It must fit the wrapping key.
    pub mechanism: WrapMechanism,
}

impl About for WrapKey {
    fn key(&self) -> Option<KeyHandle> {
        Some(self.handle)
    }

    fn other_key(&self) -> Option<KeyHandle> {
        Some(self.wrapping)
    }
}

/// Makes a key of a value that is decrypted inside the HSM.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnwrapKey {
    /// With OBJ_ATTR_UNWRAP: the key that encrypted it, or the private half of the pair.
    pub wrapping: KeyHandle,
    /// The one by which it was encrypted.
    pub mechanism: WrapMechanism,
    /// The encrypted value.
    pub wrapped: WrappedBytes,
    /// Secret or private.
    pub class: KeyClass,
    /// It must fit class and value.
    pub key_type: KeyType,
    /// Its uses; without them it gets those of a new key of its kind.
    pub flags: Option<Flags>,
    /// All else that its maker says of it.
    pub template: Template,
}

impl About for UnwrapKey {
    fn key(&self) -> Option<KeyHandle> {
        Some(self.wrapping)
    }
}

/// Encrypts data of the caller.
#[derive(Clone, Serialize, Deserialize)]
pub struct WrapHost {
    /// With OBJ_ATTR_ENCRYPT.
    pub wrapping: KeyHandle,
    /// It must fit the wrapping key.
    pub mechanism: WrapMechanism,
    /// Fewer than [`MAX_HOST_DATA`] bytes.
    pub data: SecretBytes,
}

impl About for WrapHost {
    fn key(&self) -> Option<KeyHandle> {
        Some(self.wrapping)
    }
}

/// Decrypts for the caller alone: what comes out is encrypted to a key that only the caller has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnwrapHost {
    /// With OBJ_ATTR_DECRYPT, and never trusted.
    pub wrapping: KeyHandle,
    /// The one by which it was encrypted.
    pub mechanism: WrapMechanism,
    /// What was encrypted.
    pub wrapped: WrappedBytes,
    /// The caller's public key for this answer: an uncompressed point on P-256.
    pub recipient: Vec<u8>,
}

impl About for UnwrapHost {
    fn key(&self) -> Option<KeyHandle> {
        Some(self.wrapping)
    }
}

/// [`WrapHost`] encrypts less than this.
pub const MAX_HOST_DATA: usize = 4096;

/// What a wrapping mechanism returns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedBytes {
    /// The encrypted value.
    pub bytes: Vec<u8>,
    /// The IV that the HSM drew, if the mechanism keeps it apart; else empty.
    pub iv: Vec<u8>,
}

/// Bytes that only the holder of a private key can read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The HSM's public key for this answer: an uncompressed point on P-256.
    pub sender: Vec<u8>,
    /// The bytes, by AES-256-GCM under the key that both sides agree on.
    pub sealed: Vec<u8>,
}
