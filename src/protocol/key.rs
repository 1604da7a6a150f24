//! Keys of an HSM, and the operations on them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::attribute::{Attribute, Value};
use super::user::UserId;

/// Names a key on every HSM of its clone family: node × 131072 + index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyHandle(pub u32);

/// How many handles each node of a cluster may give.
pub const HANDLES_PER_NODE: u32 = 1 << 17;

impl fmt::Display for KeyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// PKCS #11's object class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyClass {
    /// The public half of a pair.
    Public,
    /// The private half of a pair.
    Private,
    /// A symmetric key.
    Secret,
}

impl KeyClass {
    /// PKCS #11's number.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Public => 2,
            Self::Private => 3,
            Self::Secret => 4,
        }
    }
}

/// PKCS #11's key type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyType {
    /// RSA.
    Rsa,
    /// Elliptic curves.
    Ec,
    /// Bytes for HMAC.
    GenericSecret,
    /// Triple DES with three keys.
    TripleDes,
    /// AES.
    Aes,
}

impl KeyType {
    /// PKCS #11's number.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Rsa => 0,
            Self::Ec => 3,
            Self::GenericSecret => 16,
            Self::TripleDes => 21,
            Self::Aes => 31,
        }
    }
}

/// An elliptic curve that FIPS or the original allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Curve {
    /// `NID_X9_62_prime256v1`
    P256,
    /// `NID_secp384r1`
    P384,
    /// `NID_secp521r1`
    P521,
    /// `NID_secp256k1`
    Secp256k1,
}

/// What to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeySpec {
    /// An AES key of 16, 24 or 32 bytes.
    Aes {
        /// Of the key.
        bytes: u32,
    },
    /// A generic secret of 1 to 3584 bytes.
    GenericSecret {
        /// Of the secret.
        bytes: u32,
    },
    /// A triple DES key of 24 bytes, parity bits set.
    TripleDes,
    /// An RSA pair with 2048, 3072 or 4096 bits and the public exponent 65537.
    Rsa {
        /// Of the modulus.
        bits: u32,
    },
    /// An EC pair.
    Ec(Curve),
}

/// How long a key lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lifetime {
    /// Until it is deleted.
    Token,
    /// Until the session that made it ends; on one HSM only.
    Session,
}

/// Makes a key, or a pair: the public half first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GenerateKey {
    /// What to make.
    pub spec: KeySpec,
    /// Text, not unique; both halves get it.
    pub label: String,
    /// Text; both halves get it, and no other key of the HSM may have it. Empty is none.
    pub id: String,
    /// Whether the secret or private key may be wrapped out of the HSM.
    pub extractable: bool,
    /// Token or session.
    pub lifetime: Lifetime,
    /// Other CUs who may use the secret or private key.
    pub shared_with: Vec<UserId>,
    /// How many users have to approve its use; 0 and 1 are off.
    pub m_value: u8,
}

/// Deletes a key; the other half of a pair stays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteKey {
    /// Owned by the caller.
    pub handle: KeyHandle,
}

/// Finds the keys that the caller may use: own, shared and public ones. All criteria have to match.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FindKeys {
    /// By class.
    pub class: Option<KeyClass>,
    /// By type.
    pub key_type: Option<KeyType>,
    /// By its whole label.
    pub label: Option<String>,
    /// By its whole id.
    pub id: Option<String>,
    /// By lifetime.
    pub lifetime: Option<Lifetime>,
    /// Only keys that all these users may use, too.
    pub users: Vec<UserId>,
    /// By the modulus of an RSA key.
    pub modulus: Option<Vec<u8>>,
    /// By key check value.
    pub kcv: Option<Vec<u8>>,
}

/// Asks for the owner and the sharers of a key that the caller may use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DescribeKey {
    /// Which key.
    pub handle: KeyHandle,
}

/// Who may use a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDescription {
    /// Its maker.
    pub owner: UserId,
    /// Who may use it, too.
    pub shared_with: Vec<UserId>,
    /// Token or session.
    pub lifetime: Lifetime,
    /// How many users have to approve its use; 0 and 1 are off.
    pub m_value: u8,
}

/// Asks for all attributes of a key that the caller may use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadAttributes {
    /// Which key.
    pub handle: KeyHandle,
}

/// Changes an attribute of a key: its owner most, a CO only whether it is trusted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetAttribute {
    /// Which key.
    pub handle: KeyHandle,
    /// One that can be set.
    pub attribute: Attribute,
    /// From now on.
    pub value: Value,
}

/// Lets other CUs use a key of the caller's, or no longer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShareKey {
    /// Secret or private.
    pub handle: KeyHandle,
    /// CUs other than the owner.
    pub users: Vec<UserId>,
    /// To share, or to end that.
    pub sharing: Sharing,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sharing {
    /// From now on.
    Share,
    /// No longer.
    Unshare,
}

/// Signs with a private key that the caller may use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sign {
    /// A private key with OBJ_ATTR_SIGN.
    pub handle: KeyHandle,
    /// How; it has to fit the key.
    pub mechanism: SignMechanism,
    /// The hash of what is signed, as long as the mechanism's hash is.
    pub hash: Vec<u8>,
}

/// How to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignMechanism {
    /// With which kind of key.
    pub scheme: SignScheme,
    /// Of what is signed.
    pub hash: Hash,
}

/// How a hash is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignScheme {
    /// RSA, PKCS #1 v1.5.
    RsaPkcs,
    /// RSA, PSS; the salt is as long as the hash.
    RsaPss,
    /// Elliptic curves; the signature is in DER.
    Ecdsa,
}

/// A hash function that a signature may be made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// Its length.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// What [`Sign`] brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature(pub Vec<u8>);

/// Lists the keys of a user, or of all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListKeys {
    /// Whose; `None` is everybody's.
    pub user: Option<UserId>,
    /// Whether to hash the keys of the whole HSM, with their owners and sharers.
    pub hash: bool,
}

/// The keys of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyList {
    /// In the order of their handles, and what each is to the user, if one was named.
    pub keys: Vec<(KeyHandle, Option<Hold>)>,
    /// The same on every HSM whose keys, owners and sharers are the same.
    pub hash: Option<[u8; 32]>,
}

/// What a key is to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hold {
    /// The user made it.
    Owned,
    /// Another user shares it with this one.
    Shared,
}
