//! DER, before the libraries see it.

use der::{Decode, Encode};
use pkcs8::spki::SubjectPublicKeyInfoRef;
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use zeroize::Zeroizing;

use super::NotAKey;
use crate::protocol::key::KeyType;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const DSA: ObjectIdentifier = ::dsa::OID;

/// The kind of pair that an algorithm identifier names.
pub(super) fn kind(oid: ObjectIdentifier) -> Result<KeyType, NotAKey> {
    match oid {
        RSA => Ok(KeyType::Rsa),
        EC => Ok(KeyType::Ec),
        DSA => Ok(KeyType::Dsa),
        _ => Err(NotAKey),
    }
}

/// PKCS #8 and nothing beside it: no attributes, no second copy of the public key that might be another's.
pub(super) fn bare_private_key(pkcs8: &[u8]) -> Result<(KeyType, Zeroizing<Vec<u8>>), NotAKey> {
    let key = PrivateKeyInfoRef::from_der(pkcs8)?;
    let bare = PrivateKeyInfoRef::new(key.algorithm, key.private_key).to_der()?;
    Ok((kind(key.algorithm.oid)?, Zeroizing::new(bare)))
}

/// What a SubjectPublicKeyInfo holds, if nothing follows it.
pub(super) fn public_key(spki: &[u8]) -> Result<SubjectPublicKeyInfoRef<'_>, NotAKey> {
    Ok(SubjectPublicKeyInfoRef::from_der(spki)?)
}
