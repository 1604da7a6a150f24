//! Authentication data: the file in which the digests of a second factor are signed.

use std::io;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::public_key::{self, NotAPublicKey};
use crate::files::{self, NotWritten, Readers, Unreadable, read_text};
use crate::protocol::quorum::SIGNATURE;
use crate::protocol::second_factor::{Digest, NewSecondFactor, SignedDigests};

/// The file's content, in the original's format.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AuthData {
    /// `1.0`
    pub version: String,
    /// PEM; empty until it is filled in. A login does not need it.
    pub public_key: String,
    /// One digest for each HSM.
    pub data: Vec<HsmDigest>,
}

/// The digest that one HSM wants signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HsmDigest {
    /// Such as `hsm-udw0tkfg1ab`.
    pub hsm_id: String,
    /// SHA-256, in Base64.
    pub digest: String,
    /// In Base64; empty until the digest is signed.
    pub signature: String,
}

/// Why authentication data cannot be used. Whoever shows it names the file.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum BadAuthData {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("not authentication data: {0}")]
    Format(serde_path_to_error::Error<serde_json::Error>),
    #[error("Version is {0:?}, not \"1.0\"")]
    Version(String),
    #[error("{0} has no Signature")]
    Unsigned(String),
    #[error("{hsm_id}: {field} is not Base64, or has the wrong length")]
    Encoding { hsm_id: String, field: &'static str },
    #[error("PublicKey is empty")]
    NoPublicKey,
    #[error("PublicKey is {0}")]
    PublicKey(#[from] NotAPublicKey),
}

const VERSION: &str = "1.0";

/// More than 32 HSMs need, in bytes.
const MAX_FILE: u64 = 256 * 1024;

/// Whether authentication data may be written to a file: nothing but other authentication data may be replaced.
///
/// # Errors
///
/// If something is there that should not be lost.
pub fn must_be_free(path: &str) -> Result<(), NotWritten> {
    // Not parsed: a file that was broken while it was edited may be replaced, too.
    let is_authdata = |_| read_text(path, MAX_FILE).is_ok_and(|text| text.contains("\"HsmId\""));
    files::must_be_free(path, "an authentication data file", is_authdata)
}

impl AuthData {
    /// The file for these digests, with the signatures empty.
    #[must_use]
    pub fn new(digests: impl IntoIterator<Item = (String, Digest)>) -> Self {
        let entry = |(hsm_id, digest): (String, Digest)| HsmDigest {
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
    /// If it is not authentication data.
    pub fn load(path: &str) -> Result<Self, BadAuthData> {
        let text = with_escaped_line_ends(&read_text(path, MAX_FILE)?);
        let read = &mut serde_json::Deserializer::from_str(&text);
        let data: Self = serde_path_to_error::deserialize(read).map_err(BadAuthData::Format)?;
        if data.version == VERSION { Ok(data) } else { Err(BadAuthData::Version(data.version)) }
    }

    /// Writes the file over what is there.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&self, path: &str) -> Result<(), NotWritten> {
        let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
        let mut text = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, indent);
        self.serialize(&mut serializer).map_err(|error| Unreadable::from(io::Error::from(error)))?;
        text.push(b'\n');
        Ok(files::write(path, &text, Readers::Everybody)?)
    }

    fn signed(&self) -> Result<SignedDigests, BadAuthData> {
        self.data.iter().map(HsmDigest::signed).collect::<Result<_, _>>().map(SignedDigests)
    }

    /// The digests that have a signature. A user without a second factor signs none of them.
    ///
    /// # Errors
    ///
    /// If a signature is not one.
    pub fn signed_so_far(&self) -> Result<SignedDigests, BadAuthData> {
        let signed = self.data.iter().filter(|entry| !entry.signature.trim().is_empty());
        signed.map(HsmDigest::signed).collect::<Result<_, _>>().map(SignedDigests)
    }

    /// The public key and the signatures that register a second factor.
    ///
    /// # Errors
    ///
    /// If the key or a signature is missing.
    pub fn new_second_factor(&self) -> Result<NewSecondFactor, BadAuthData> {
        if self.public_key.trim().is_empty() {
            return Err(BadAuthData::NoPublicKey);
        }
        Ok(NewSecondFactor { public_key: public_key::parse(&self.public_key)?, signed: self.signed()? })
    }
}

impl HsmDigest {
    /// The digest, decoded.
    ///
    /// # Errors
    ///
    /// If it is not one.
    pub fn digest(&self) -> Result<Digest, BadAuthData> {
        let digest = decode(&self.digest).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        digest.map(Digest).ok_or_else(|| self.is_bad("Digest"))
    }

    /// Fills in the signature.
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

/// Escapes line ends in strings: what is pasted into the file, such as a PEM block, has them, and JSON does not allow them.
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

/// Decodes what may have been pasted as the program `base64` prints it, in lines of 76 columns.
fn decode(text: &str) -> Option<Vec<u8>> {
    let text: String = text.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    BASE64.decode(text.as_bytes()).ok()
}
