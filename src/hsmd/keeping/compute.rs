//! What the HSM computes with the values of its keys.

use zeroize::Zeroizing;

use super::vault::Vault;
use crate::crypto::sealing::seal;
use crate::hsm::{Computation, Computed, Material, NewKey};
use crate::hsmd::cryptography::keys::{self, Fresh};
use crate::hsmd::cryptography::signing::{self, NotVerified};
use crate::hsmd::cryptography::wrapping::{
    NotUnwrapped, NotWrapped, WrappedValue, WrappingKey, unwrap, unwrap_key, wrap,
};
use crate::protocol::Refusal;
use crate::protocol::key::{KeyType, PublicKeyInfo};
use crate::protocol::wrap::WrappedBytes;
use crate::protocol::wrapping::WrapMechanism;

impl Vault {
    /// Computes something with the values of keys.
    ///
    /// # Errors
    ///
    /// A refusal that depends on the values, or on bytes that the HSM did not make.
    pub fn compute(&self, what: &Computation) -> Result<Computed, Refusal> {
        match what {
            Computation::Wrap { key, wrapping, mechanism } => {
                self.wrap(mechanism, wrapping, &self.open(key)?)
            }
            Computation::WrapHost { wrapping, mechanism, data } => {
                self.wrap(mechanism, wrapping, data.expose())
            }
            Computation::Unwrap { wrapping, mechanism, wrapped, class, key_type } => {
                let by = self.open(wrapping)?;
                let by = decrypting(mechanism, &by);
                self.key(unwrap_key(mechanism, by, &value_of(wrapped), (*class, *key_type))?)
            }
            Computation::UnwrapHost { wrapping, mechanism, wrapped, recipient } => {
                let by = self.open(wrapping)?;
                let value = unwrap(mechanism, decrypting(mechanism, &by), &value_of(wrapped))?;
                seal(recipient, &value).map(Computed::Sealed).map_err(|_| Refusal::InvalidInput)
            }
            Computation::TakeInPublic(PublicKeyInfo(key)) => {
                self.key(keys::public(key).map_err(|_| Refusal::InvalidInput)?)
            }
            Computation::ReadPublic(key) => Ok(Computed::Bytes(self.open(key)?.to_vec())),
            Computation::Sign { key, mechanism, hash } => {
                self.sign(key, *mechanism, hash).map(Computed::Bytes)
            }
            Computation::Verify { key, mechanism, hash, signature } => {
                signing::verify(&self.open(key)?, *mechanism, hash, signature)?;
                Ok(Computed::Bytes(Vec::new()))
            }
        }
    }

    fn wrap(&self, mechanism: &WrapMechanism, by: &Material, value: &[u8]) -> Result<Computed, Refusal> {
        let by = self.open(by)?;
        let is_rsa = mechanism.key_type() == KeyType::Rsa;
        let by = if is_rsa { WrappingKey::RsaPublic(&by) } else { WrappingKey::Aes(&by) };
        let WrappedValue { bytes, iv } = wrap(mechanism, by, value)?;
        Ok(Computed::Wrapped(WrappedBytes { bytes, iv }))
    }

    fn key(&self, Fresh { attributes, value }: Fresh) -> Result<Computed, Refusal> {
        let material = self.keep(&value).map_err(|_| Refusal::OutOfResources)?;
        Ok(Computed::Key(Box::new(NewKey { attributes, material })))
    }

    fn open(&self, material: &Material) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        self.value(material).map_err(|_| Refusal::OutOfResources)
    }
}

fn decrypting<'a>(mechanism: &WrapMechanism, value: &'a [u8]) -> WrappingKey<'a> {
    let is_rsa = mechanism.key_type() == KeyType::Rsa;
    if is_rsa { WrappingKey::RsaPrivate(value) } else { WrappingKey::Aes(value) }
}

fn value_of(WrappedBytes { bytes, iv }: &WrappedBytes) -> WrappedValue {
    WrappedValue { bytes: bytes.clone(), iv: iv.clone() }
}

impl From<NotWrapped> for Refusal {
    fn from(reason: NotWrapped) -> Self {
        match reason {
            NotWrapped::KeyUnfit | NotWrapped::LengthUnfit => Self::KeyUnfit,
            NotWrapped::LibraryFailed => Self::OutOfResources,
        }
    }
}

/// Why it was not unwrapped stays unsaid.
impl From<NotUnwrapped> for Refusal {
    fn from(_: NotUnwrapped) -> Self {
        Self::WrappedKeyInvalid
    }
}

impl From<NotVerified> for Refusal {
    fn from(reason: NotVerified) -> Self {
        match reason {
            NotVerified::Unfit(_) => Self::KeyUnfit,
            NotVerified::Wrong => Self::BadSignature,
        }
    }
}
