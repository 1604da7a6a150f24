//! Signing offline: a registration token, tokens for a quorum, or authentication data, whichever the file is.

use std::path::Path;
use std::{fmt, fs};

use super::approval::{ApprovalFile, Approver, MAX_APPROVALS, MAX_FILE, NoApprovals};
use super::authdata::{AuthData, BadAuthData};
use super::private_key::{NoKey, PrivateKey};
use crate::files::{
    self, NotWritten, Readers, UnreadableFile, metadata_to_replace, read, read_text, unreadable,
};
use crate::protocol::quorum::{MAX_REGISTRATION_TOKEN, NotTokens, SIGNATURE, Token};

/// A file to sign, and where its signature goes.
pub struct SigningJob {
    /// The file.
    pub file: String,
    /// The file for the signature of a token; by default one beside it. Authentication data has its signatures inside.
    pub out: Option<String>,
    /// The approval file to add the signature to, and the approver. [`Approver::file`] is filled in here.
    pub approval: Option<(String, Approver)>,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum NotSigned {
    #[error(transparent)]
    Unreadable(#[from] UnreadableFile),
    #[error(
        "{0}: neither a registration token (1 to {MAX_REGISTRATION_TOKEN} bytes), nor a token of getToken, \
         nor authentication data"
    )]
    Unknown(String),
    #[error("{0}: {1}")]
    Tokens(String, NotTokens),
    #[error("{0:?}: an approval file cannot hold this: it is empty or has a semicolon or a line end")]
    NoValue(String),
    #[error("{0}: {1}")]
    AuthData(String, BadAuthData),
    #[error("{0}: only tokens of getToken can be approved, with an approval file")]
    NotForApproval(String),
    #[error("{0}: the signatures of authentication data go into the file itself")]
    NoOut(String),
    #[error("{0}: exists and would be lost")]
    InTheWay(String),
    #[error("{0}: {1}")]
    Approvals(String, NoApprovals),
    #[error("{path}: approves {token_file}, not {file}")]
    OtherTokens { path: String, token_file: String, file: String },
    #[error("{0}: has {MAX_APPROVALS} approvals already")]
    Full(String),
    #[error("cannot write {0}: {1}")]
    Unwritable(String, NotWritten),
    #[error(transparent)]
    Key(#[from] NoKey),
}

/// What the file is, with its content.
pub enum ToSign {
    /// Tokens of getToken: the bytes to sign, and what they mean.
    Tokens(Vec<u8>, Vec<Token>),
    /// A registration token: bytes of an officer's choice.
    Registration(Vec<u8>),
    /// The digests of a second factor.
    AuthData(AuthData),
}

impl SigningJob {
    /// Reads the file, and makes sure that its signature can be written.
    ///
    /// # Errors
    ///
    /// If the file is nothing that can be signed, or another file would be lost.
    pub fn read(&self) -> Result<ToSign, NotSigned> {
        let to_sign = self.recognise()?;
        match (&to_sign, &self.approval) {
            (ToSign::Registration(_) | ToSign::AuthData(_), Some(_)) => {
                Err(NotSigned::NotForApproval(self.file.clone()))
            }
            (ToSign::AuthData(_), None) if self.out.is_some() => Err(NotSigned::NoOut(self.file.clone())),
            (ToSign::AuthData(_), None) => Ok(to_sign),
            (ToSign::Registration(_), None) | (ToSign::Tokens(..), _) => {
                self.must_be_writable()?;
                Ok(to_sign)
            }
        }
    }

    /// Signs what [`read`](Self::read) has returned. Returns the files that were written, a line each.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn sign(&self, to_sign: &ToSign, key: &PrivateKey) -> Result<String, NotSigned> {
        match to_sign {
            ToSign::Tokens(bytes, _) | ToSign::Registration(bytes) => self.sign_message(key, bytes),
            ToSign::AuthData(authdata) => self.sign_digests(key, authdata.clone()),
        }
    }

    fn recognise(&self) -> Result<ToSign, NotSigned> {
        let path = &self.file;
        let content = read(path, 256 * 1024).map_err(unreadable(path.as_ref()))?;
        if is_authdata(&content) {
            let bad = |error| NotSigned::AuthData(path.clone(), error);
            return AuthData::load(path).map(ToSign::AuthData).map_err(bad);
        }
        match Token::parse_file(&content) {
            Ok(tokens) => Ok(ToSign::Tokens(content, tokens)),
            // Short enough for a registration token, but nobody means to register half a token.
            Err(error) if Token::begins(&content) => Err(NotSigned::Tokens(path.clone(), error)),
            Err(_) if (1..=MAX_REGISTRATION_TOKEN).contains(&content.len()) => {
                Ok(ToSign::Registration(content))
            }
            Err(_) => Err(NotSigned::Unknown(path.clone())),
        }
    }

    fn sign_digests(&self, key: &PrivateKey, mut authdata: AuthData) -> Result<String, NotSigned> {
        let path = &self.file;
        let bad = |error| NotSigned::AuthData(path.clone(), error);
        for entry in &mut authdata.data {
            let signature = key.sign_digest(entry.digest().map_err(bad)?)?;
            entry.sign(&signature);
        }
        authdata.public_key = key.public_pem()?;
        authdata.write(path).map_err(|error| NotSigned::Unwritable(path.clone(), error))?;
        Ok(format!("Signed {} digests, in {path}\n", authdata.data.len()))
    }

    fn sign_message(&self, key: &PrivateKey, message: &[u8]) -> Result<String, NotSigned> {
        let out = self.signature_file();
        let approval = self.approval_with(&out)?;
        write(&out, &key.sign(message)?)?;
        let mut written = format!("Signature written to {out}\n");
        if let Some((path, text)) = approval {
            write(path, text.as_bytes())?;
            written.push_str(&format!("Approval written to {path}\n"));
        }
        Ok(written)
    }

    fn must_be_writable(&self) -> Result<(), NotSigned> {
        let out = self.signature_file();
        let place = |path: &str| metadata_to_replace(path).map_err(unreadable(path.as_ref()));
        // An earlier signature may be replaced, nothing else.
        if place(&out)?.is_some_and(|there| u64::try_from(SIGNATURE) != Ok(there.len())) {
            return Err(NotSigned::InTheWay(out));
        }
        if let Some((path, approver)) = &self.approval {
            place(path)?;
            if is_same_file(path, &out) || is_same_file(path, &self.file) {
                return Err(NotSigned::InTheWay(path.clone()));
            }
            // In an approval file a value ends there.
            let words = [&approver.name, &out, &self.file];
            if let Some(word) =
                words.into_iter().find(|word| word.is_empty() || word.contains([';', '\n', '\r']))
            {
                return Err(NotSigned::NoValue(word.clone()));
            }
            // Now rather than after the pass phrase was typed.
            self.approval_with(&out)?;
        }
        Ok(())
    }

    /// The file for the signature. Approvers of the same token need one each.
    fn signature_file(&self) -> String {
        match (&self.out, &self.approval) {
            (Some(out), _) => out.clone(),
            (None, Some((_, approver))) => format!("{}.{}.sig", self.file, approver.name),
            (None, None) => format!("{}.sig", self.file),
        }
    }

    /// The approval file's path and new text. An approver who is in it already gets the new signature.
    fn approval_with(&self, out: &str) -> Result<Option<(&str, String)>, NotSigned> {
        let Some((path, approver)) = &self.approval else { return Ok(None) };
        let approver = Approver { file: out.to_owned(), ..approver.clone() };
        if !Path::new(path).exists() {
            let file = ApprovalFile { token_file: self.file.clone(), approvers: vec![approver] };
            return Ok(Some((path, file.to_text())));
        }
        let bad = |error| NotSigned::Approvals(path.clone(), error);
        let text = read_text(path, MAX_FILE).map_err(|error| bad(error.into()))?;
        let mut file = ApprovalFile::parse(&text).map_err(bad)?;
        if !is_same_file(&file.token_file, &self.file) {
            let (path, token_file) = (path.clone(), file.token_file);
            return Err(NotSigned::OtherTokens { path, token_file, file: self.file.clone() });
        }
        if let Some(earlier) = file.approvers.iter_mut().find(|earlier| earlier.is_same_user(&approver)) {
            *earlier = approver;
            return Ok(Some((path, file.to_text())));
        }
        if file.approvers.len() >= MAX_APPROVALS {
            return Err(NotSigned::Full(path.clone()));
        }
        Ok(Some((path, ApprovalFile::with_approver(&text, &approver).map_err(bad)?)))
    }
}

/// Also one that was broken while it was edited: it must not be taken for a registration token, which may be any bytes.
fn is_authdata(content: &[u8]) -> bool {
    let text = std::str::from_utf8(content).unwrap_or_default();
    text.contains("\"HsmId\"")
        || serde_json::from_str::<serde_json::Map<_, _>>(text).is_ok_and(|map| !map.is_empty())
}

fn is_same_file(one: &str, other: &str) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
        (Err(_), Err(_)) => one == other,
    }
}

impl fmt::Display for ToSign {
    /// What the officer is about to sign, a line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tokens(_, tokens) => tokens.iter().try_for_each(|token| f.write_str(&show(token))),
            Self::Registration(bytes) => writeln!(f, "Registration token of {} bytes", bytes.len()),
            Self::AuthData(authdata) => {
                authdata.data.iter().try_for_each(|entry| writeln!(f, "Digest of {}", entry.hsm_id))
            }
        }
    }
}

fn show(token: &Token) -> String {
    let about = &token.about;
    let (number, name) = (about.service.number(), about.service.name());
    let key = if about.key.0 == 0 { String::new() } else { format!(", key {}", about.key) };
    format!("Token {} of {} for {}: service {number}[{name}]{key}\n", about.id, token.hsm_id, about.user)
}

fn write(path: &str, content: &[u8]) -> Result<(), NotSigned> {
    let written = files::write(path, content, Readers::Everybody).map_err(NotWritten::System);
    written.map_err(|error| NotSigned::Unwritable(path.to_owned(), error))
}
