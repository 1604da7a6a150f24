//! Authentication data: the digests of a second factor on their way to be signed, and back.

use std::fs;
use std::io;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::public_key::{self, NotAPublicKey};
use crate::files::{Unreadable, metadata_to_replace, read_text};
use crate::protocol::quorum::SIGNATURE;
use crate::protocol::second_factor::{Digest, NewSecondFactor, SignedDigests};

/// The file, in the original's format.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AuthData {
    /// `1.0`
    pub version: String,
    /// PEM; empty if it is not given, which a login does without.
    pub public_key: String,
    /// One entry for each HSM.
    pub data: Vec<Entry>,
}

/// What one HSM wants signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Entry {
    /// Such as `hsm-udw0tkfg1ab`.
    pub hsm_id: String,
    /// SHA-256, in Base64.
    pub digest: String,
    /// Of the digest, in Base64; empty until it is signed.
    pub signature: String,
}

/// Why authentication data cannot be used; whoever shows it names the file.
#[derive(Debug, thiserror::Error)]
pub enum BadAuthData {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Not JSON, or not this.
    #[error("not authentication data: {0}")]
    Format(serde_path_to_error::Error<serde_json::Error>),
    /// Of a later release.
    #[error("Version is {0:?}, not \"1.0\"")]
    Version(String),
    /// It was not filled in.
    #[error("{0} has no Signature")]
    Unsigned(String),
    /// Not Base64, or cut.
    #[error("{hsm_id}: {field} is not in Base64, or not of the right length")]
    Encoding {
        /// Whose entry.
        hsm_id: String,
        /// `Digest` or `Signature`.
        field: &'static str,
    },
    /// It was not filled in.
    #[error("PublicKey is empty")]
    NoPublicKey,
    /// It is something else.
    #[error("PublicKey is {0}")]
    PublicKey(#[from] NotAPublicKey),
}

const VERSION: &str = "1.0";

/// More than 32 HSMs need, in bytes.
const MAX_FILE: u64 = 256 * 1024;

/// Whether authentication data may be written to a file: in place of other authentication data, and of nothing else.
///
/// # Errors
///
/// If something is there that should not be lost.
pub fn must_be_free(path: &str) -> Result<(), InTheWay> {
    match metadata_to_replace(path)? {
        None => Ok(()),
        Some(there) if there.len() == 0 => Ok(()),
        // Also one that was broken by hand: who repeats the command wants to sign anew.
        Some(_) if read_text(path, MAX_FILE).is_ok_and(|text| text.contains("\"HsmId\"")) => Ok(()),
        Some(_) => Err(InTheWay::Other),
    }
}

/// Why authentication data cannot be written to a file.
#[derive(Debug, thiserror::Error)]
pub enum InTheWay {
    /// It would be lost.
    #[error("exists, and is no authentication data")]
    Other,
    /// The system says so.
    #[error(transparent)]
    System(#[from] Unreadable),
}

impl AuthData {
    /// What is to be signed.
    #[must_use]
    pub fn new(digests: impl IntoIterator<Item = (String, Digest)>) -> Self {
        let entry = |(hsm_id, digest): (String, Digest)| Entry {
            hsm_id,
            digest: BASE64.encode(&digest.0),
            signature: String::new(),
        };
        let data = digests.into_iter().map(entry).collect();
        Self { version: VERSION.to_owned(), public_key: String::new(), data }
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If it is no authentication data.
    pub fn load(path: &str) -> Result<Self, BadAuthData> {
        let text = with_escaped_line_ends(&read_text(path, MAX_FILE)?);
        let read = &mut serde_json::Deserializer::from_str(&text);
        let data: Self = serde_path_to_error::deserialize(read).map_err(BadAuthData::Format)?;
        if data.version == VERSION { Ok(data) } else { Err(BadAuthData::Version(data.version)) }
    }

    /// Writes the file in place of what was there.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn write(&self, path: &str) -> Result<(), InTheWay> {
        let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
        let mut text = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, indent);
        self.serialize(&mut serializer).map_err(|error| Unreadable::from(io::Error::from(error)))?;
        text.push(b'\n');
        Ok(fs::write(path, text).map_err(Unreadable::from)?)
    }

    fn signed(&self) -> Result<SignedDigests, BadAuthData> {
        self.data.iter().map(Entry::signed).collect::<Result<_, _>>().map(SignedDigests)
    }

    /// The digests that have a signature: who needs no second factor signs none.
    ///
    /// # Errors
    ///
    /// If a signature is none.
    pub fn signed_so_far(&self) -> Result<SignedDigests, BadAuthData> {
        let signed = self.data.iter().filter(|entry| !entry.signature.trim().is_empty());
        signed.map(Entry::signed).collect::<Result<_, _>>().map(SignedDigests)
    }

    /// The key and the signatures of a second factor to be.
    ///
    /// # Errors
    ///
    /// If something is missing.
    pub fn new_second_factor(&self) -> Result<NewSecondFactor, BadAuthData> {
        if self.public_key.trim().is_empty() {
            return Err(BadAuthData::NoPublicKey);
        }
        Ok(NewSecondFactor { public_key: public_key::parse(&self.public_key)?, signed: self.signed()? })
    }
}

impl Entry {
    /// The digest itself.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn digest(&self) -> Result<Digest, BadAuthData> {
        let digest = decode(&self.digest).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        digest.map(Digest).ok_or_else(|| self.is_bad("Digest"))
    }

    /// Fills the signature in.
    pub fn sign(&mut self, signature: &[u8]) {
        self.signature = BASE64.encode(signature);
    }

    fn signed(&self) -> Result<(Digest, Vec<u8>), BadAuthData> {
        if self.signature.trim().is_empty() {
            return Err(BadAuthData::Unsigned(self.hsm_id.clone()));
        }
        let signature = decode(&self.signature).filter(|bytes| bytes.len() == SIGNATURE);
        Ok((self.digest()?, signature.ok_or_else(|| self.is_bad("Signature"))?))
    }

    fn is_bad(&self, field: &'static str) -> BadAuthData {
        BadAuthData::Encoding { hsm_id: self.hsm_id.clone(), field }
    }
}

/// What was pasted with its line ends, into a string where JSON has none.
fn with_escaped_line_ends(text: &str) -> String {
    let (mut in_string, mut is_escaped) = (false, false);
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' if in_string => escaped.push_str("\\n"),
            '\r' if in_string => {}
            _ => escaped.push(character),
        }
        in_string ^= character == '"' && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
    }
    escaped
}

/// What `base64` wraps at 76 columns may have been pasted as it was.
fn decode(text: &str) -> Option<Vec<u8>> {
    let text: String = text.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    BASE64.decode(text.as_bytes()).ok()
}
