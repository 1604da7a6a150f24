//! Keys of an HSM, and the operations on them.

use serde::{Deserialize, Serialize};

use super::about::About;
pub use super::key_handle::{HANDLES_PER_NODE, KeyHandle};
pub use super::signature::{Hash, Sign, SignMechanism, SignScheme, Signature, Verify};
pub use super::template::{Lifetime, Template};
use super::user::UserId;

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

/// PKCS #11's key type. New ones go to the end: the order is the format of the wire and of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "PKCS #11 has the names")]
pub enum KeyType {
    Rsa,
    Ec,
    /// Bytes for HMAC.
    GenericSecret,
    /// With three keys.
    TripleDes,
    Aes,
    Dsa,
}

impl KeyType {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Rsa, Self::Dsa, Self::Ec, Self::GenericSecret, Self::TripleDes, Self::Aes];

    /// PKCS #11's number.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Rsa => 0,
            Self::Dsa => 1,
            Self::Ec => 3,
            Self::GenericSecret => 16,
            Self::TripleDes => 21,
            Self::Aes => 31,
        }
    }
}

/// An elliptic curve that the original offers.
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

/// The kind and size of a key to be made. New ones go to the end: the order is the wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the sizes that the variants speak of")]
pub enum KeySpec {
    /// An AES key of 16, 24 or 32 bytes.
    Aes { bytes: u32 },
    /// A generic secret of 1 to 3584 bytes.
    GenericSecret { bytes: u32 },
    /// A triple DES key of 24 bytes, parity bits set.
    TripleDes,
    /// An RSA pair with a modulus of 2048, 3072 or 4096 bits and the public exponent 65537.
    Rsa { bits: u32 },
    /// An EC pair.
    Ec(Curve),
    /// An RSA pair of 2048 to 4096 bits in steps of 256, with an odd public exponent from 65537 to 2147483647.
    RsaWithExponent { bits: u32, exponent: u32 },
    /// A DSA pair with a prime of 2048 bits and a subgroup of 256.
    Dsa { bits: u32 },
}

/// Makes a key, or a pair: the public half first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GenerateKey {
    /// Its kind and size.
    pub spec: KeySpec,
    /// All else that its maker says of it.
    pub template: Template,
}

impl About for GenerateKey {
    /// The original makes a pair by a command of its own.
    fn opcode(&self, listed: Option<u16>) -> Option<u16> {
        match self.spec {
            KeySpec::Aes { .. } | KeySpec::GenericSecret { .. } | KeySpec::TripleDes => listed,
            KeySpec::Rsa { .. } | KeySpec::RsaWithExponent { .. } | KeySpec::Dsa { .. } | KeySpec::Ec(_) => {
                Some(0x19)
            }
        }
    }
}

/// Deletes a key; the other half of a pair stays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteKey {
    /// Owned by the caller.
    pub handle: KeyHandle,
}

impl About for DeleteKey {
    fn key(&self) -> Option<KeyHandle> {
        Some(self.handle)
    }
}

/// Finds keys that the caller may use: own, shared and public ones. All criteria must match.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "criteria are named after what they are compared with")]
pub struct FindKeys {
    pub class: Option<KeyClass>,
    pub key_type: Option<KeyType>,
    /// The whole label.
    pub label: Option<String>,
    /// The whole id.
    pub id: Option<String>,
    pub lifetime: Option<Lifetime>,
    /// All these users may use the key, too.
    pub users: Vec<UserId>,
    /// An RSA key's.
    pub modulus: Option<Vec<u8>>,
    pub kcv: Option<Vec<u8>>,
}

impl About for FindKeys {}

/// Asks for the owner and the sharers of a key that the caller may use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DescribeKey {
    /// Own, shared or public.
    pub handle: KeyHandle,
}

impl About for DescribeKey {}

/// Who may use a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDescription {
    /// Who made it.
    pub owner: UserId,
    /// The other CUs who may use it.
    pub shared_with: Vec<UserId>,
    /// Token or session.
    pub lifetime: Lifetime,
    /// How many users have to approve its use; 0 and 1 mean no approval.
    pub m_value: u8,
}

/// Lets other CUs use one of the caller's keys, or withdraws that.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShareKey {
    /// Secret or private.
    pub handle: KeyHandle,
    /// CUs other than the owner.
    pub users: Vec<UserId>,
    /// Whether they may use it from now on.
    pub sharing: Sharing,
}

impl About for ShareKey {
    fn key(&self) -> Option<KeyHandle> {
        Some(self.handle)
    }
}

/// Whether users may use a key from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sharing {
    /// They may.
    Share,
    /// They no longer may.
    Unshare,
}

/// Lists the keys of a user, or of all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListKeys {
    /// `None` is all users.
    pub user: Option<UserId>,
    /// Whether to hash the keys of the whole HSM, with their owners and sharers.
    pub hash: bool,
}

impl About for ListKeys {}

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

/// Takes in a public key, which any CU may then use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreatePublicKey {
    /// RSA, DSA or EC.
    pub key: PublicKeyInfo,
    /// Need not be unique.
    pub label: String,
    /// No other key of the HSM may have it. An empty one is no id.
    pub id: String,
    /// Token or session.
    pub lifetime: Lifetime,
}

impl About for CreatePublicKey {}

/// Asks for the value of a public key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadPublicKey {
    /// Anyone's.
    pub handle: KeyHandle,
}

impl About for ReadPublicKey {}

/// A public key: a SubjectPublicKeyInfo in DER.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKeyInfo(pub Vec<u8>);

#[cfg(test)]
mod tests {
    use super::KeyType;

    #[test]
    fn key_types_have_the_numbers_of_pkcs_11() {
        assert_eq!(KeyType::ALL.map(KeyType::number), [0, 1, 3, 16, 21, 31]);
    }
}
