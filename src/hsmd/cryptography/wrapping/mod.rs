//! Values encrypted under other keys.

mod gcm;
mod rsa;

use zeroize::Zeroizing;

use super::keys::{self, Fresh};
use crate::crypto::key_wrap::{self, KeyUnfit};
pub use crate::crypto::key_wrap::{NotUnwrapped, NotWrapped};
use crate::protocol::key::{KeyClass, KeyType};
use crate::protocol::wrapping::WrapMechanism;

/// The key that wraps or unwraps, as an HSM keeps its value.
#[derive(Clone, Copy)]
pub enum WrappingKey<'a> {
    /// Wraps and unwraps: 16, 24 or 32 bytes.
    Aes(&'a [u8]),
    /// Wraps: SubjectPublicKeyInfo.
    RsaPublic(&'a [u8]),
    /// Unwraps: PKCS #8.
    RsaPrivate(&'a [u8]),
}

/// What a mechanism makes of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedValue {
    /// The encrypted value.
    pub bytes: Vec<u8>,
    /// The IV, if the mechanism keeps it apart; else empty.
    pub iv: Vec<u8>,
}

impl<'a> WrappingKey<'a> {
    fn aes(self) -> Result<&'a [u8], KeyUnfit> {
        if let Self::Aes(key) = self { Ok(key) } else { Err(KeyUnfit) }
    }

    fn rsa_public(self) -> Result<&'a [u8], KeyUnfit> {
        if let Self::RsaPublic(key) = self { Ok(key) } else { Err(KeyUnfit) }
    }

    fn rsa_private(self) -> Result<&'a [u8], KeyUnfit> {
        if let Self::RsaPrivate(key) = self { Ok(key) } else { Err(KeyUnfit) }
    }
}

/// Encrypts a value. The IV of AES-GCM is always random: the same IV twice would reveal what is wrapped, so no caller
/// chooses it.
///
/// # Errors
///
/// If key, mechanism and value do not go together.
pub fn wrap(
    mechanism: &WrapMechanism,
    key: WrappingKey<'_>,
    value: &[u8],
) -> Result<WrappedValue, NotWrapped> {
    let bytes = match mechanism {
        WrapMechanism::AesWrapPkcs5 => key_wrap::wrap_pkcs5(key.aes()?, value),
        WrapMechanism::AesWrap => key_wrap::wrap(key.aes()?, value),
        WrapMechanism::AesWrapPad => key_wrap::wrap_with_padding(key.aes()?, value),
        WrapMechanism::AesGcm(gcm) => {
            let (iv, bytes) = gcm::seal(key.aes()?, gcm, value)?;
            return Ok(WrappedValue { bytes, iv: iv.to_vec() });
        }
        WrapMechanism::CloudHsmAesGcm(gcm) => {
            gcm::seal(key.aes()?, gcm, value).map(|(iv, bytes)| [iv.as_slice(), &bytes].concat())
        }
        WrapMechanism::RsaAes(hash) => rsa::wrap_with_aes(key.rsa_public()?, *hash, value),
        WrapMechanism::RsaOaep(hash) => rsa::encrypt_oaep(key.rsa_public()?, *hash, value),
        WrapMechanism::RsaPkcs => rsa::encrypt_pkcs1(key.rsa_public()?, value),
    };
    Ok(WrappedValue { bytes: bytes?, iv: Vec::new() })
}

/// Decrypts a value.
///
/// There is one error, and no work is left out that would show how far decryption came. For every mechanism but
/// [`RsaPkcs`](WrapMechanism::RsaPkcs) that is enough. PKCS #1 v1.5 is weak in itself: some altered bytes decrypt to
/// something, and that they do is the answer that Bleichenbacher's attack asks for. Whoever may unwrap by it can, with
/// some ten thousand or a million calls, decrypt what others wrapped for this key. [`unwrap_key`] makes that harder,
/// as success needs a key of the kind asked for; but any bytes are a generic secret. So rules must keep the mechanism
/// away from keys whose users may not know what is wrapped for them.
///
/// # Errors
///
/// If anything is wrong.
pub fn unwrap(
    mechanism: &WrapMechanism,
    key: WrappingKey<'_>,
    wrapped: &WrappedValue,
) -> Result<Zeroizing<Vec<u8>>, NotUnwrapped> {
    let WrappedValue { bytes, iv } = wrapped;
    let has_iv_apart = matches!(mechanism, WrapMechanism::AesGcm(_));
    if has_iv_apart == iv.is_empty() {
        return Err(NotUnwrapped);
    }
    match mechanism {
        WrapMechanism::AesWrapPkcs5 => key_wrap::unwrap_pkcs5(key.aes()?, bytes),
        WrapMechanism::AesWrap => key_wrap::unwrap(key.aes()?, bytes),
        WrapMechanism::AesWrapPad => key_wrap::unwrap_with_padding(key.aes()?, bytes),
        WrapMechanism::AesGcm(gcm) => gcm::open(key.aes()?, gcm, iv, bytes),
        WrapMechanism::CloudHsmAesGcm(gcm) => {
            let (iv, bytes) = bytes.split_at_checked(gcm::IV).ok_or(NotUnwrapped)?;
            gcm::open(key.aes()?, gcm, iv, bytes)
        }
        WrapMechanism::RsaAes(hash) => rsa::unwrap_with_aes(key.rsa_private()?, *hash, bytes),
        WrapMechanism::RsaOaep(hash) => rsa::decrypt_oaep(key.rsa_private()?, *hash, bytes),
        WrapMechanism::RsaPkcs => rsa::decrypt_pkcs1(key.rsa_private()?, bytes),
    }
}

/// Decrypts a value and makes a key of it, with the attributes of one that was outside.
///
/// # Errors
///
/// The same one if the value cannot be decrypted and if it is not a key of this class and type.
pub fn unwrap_key(
    mechanism: &WrapMechanism,
    key: WrappingKey<'_>,
    wrapped: &WrappedValue,
    (class, key_type): (KeyClass, KeyType),
) -> Result<Fresh, NotUnwrapped> {
    let value = unwrap(mechanism, key, wrapped)?;
    let key = match class {
        KeyClass::Secret => keys::secret(key_type, &value),
        KeyClass::Private => keys::private(key_type, &value),
        KeyClass::Public => Err(keys::NotAKey),
    };
    key.map_err(|_| NotUnwrapped)
}
