//! Attestation: what an HSM says of keys, signed with the cluster's key.

use serde::{Deserialize, Serialize};

use super::about::About;
use super::attribute::Attributes;
use super::key_handle::KeyHandle;

/// Asks the HSM to sign what it says of keys that the caller may use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attest {
    /// One to [`MAX_ATTESTED`]: own, shared or public.
    pub handles: Vec<KeyHandle>,
    /// Chosen at random by the caller: an earlier attestation has another.
    pub nonce: [u8; 32],
}

impl About for Attest {}

/// How many keys one attestation is about.
pub const MAX_ATTESTED: usize = 16;

/// What an HSM signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The caller's.
    pub nonce: [u8; 32],
    /// Of the HSM that has the keys.
    pub hsm_id: String,
    /// In the order of the question.
    pub keys: Vec<(KeyHandle, Attributes)>,
}

/// What an HSM says of keys, and its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// A [`Statement`], encoded: what was signed, byte for byte.
    pub statement: Vec<u8>,
    /// Made with the cluster's key. The kind of key says how: RSA-PSS with SHA-256, or ECDSA in DER.
    pub signature: Vec<u8>,
}

/// The first bytes of a statement; the digit is the version of the format. The cluster's key signs TLS handshakes and
/// certificate requests, too: none of them begins like this.
const MAGIC: &[u8] = b"CHSMATT1";

impl Statement {
    /// The bytes to be signed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Postcard fails on types without a known length only, and has one encoding for each value.
        [MAGIC, &postcard::to_stdvec(self).unwrap_or_default()].concat()
    }

    /// Reads what [`encode`](Self::encode) wrote; `None` if it is anything else.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (statement, rest) = postcard::take_from_bytes::<Self>(bytes.strip_prefix(MAGIC)?).ok()?;
        rest.is_empty().then_some(statement)
    }
}
