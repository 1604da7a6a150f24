//! Signing offline: a registration token, tokens for a quorum, or authentication data, whichever a file is.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use super::approval::{ApprovalFile, Approver, MAX_APPROVALS, MAX_FILE, NoApprovals};
use super::authdata::{AuthData, BadAuthData, InTheWay};
use super::private_key::{NoKey, PrivateKey};
use crate::files::{Unreadable, metadata_to_replace, read, read_text, without_number};
use crate::protocol::quorum::{MAX_REGISTRATION_TOKEN, NotTokens, SIGNATURE, Token};

/// What is to be signed, and where the signature goes.
pub struct Order {
    /// The file to be signed.
    pub file: String,
    /// Where its signature goes, unless it is authentication data: into a file of this name, or one beside it.
    pub out: Option<String>,
    /// The approval file to enter it in, and as whose. [`Approver::file`] is filled in here.
    pub approval: Option<(String, Approver)>,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum NotSigned {
    /// The file to be signed cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Of the file.
        path: String,
        /// Why.
        source: Unreadable,
    },
    /// Something that nobody should sign.
    #[error(
        "{0}: neither a registration token (1 to {MAX_REGISTRATION_TOKEN} bytes), nor a token of getToken, \
         nor authentication data"
    )]
    Unknown(String),
    /// It begins like tokens.
    #[error("{path}: {source}")]
    Tokens {
        /// Of the file.
        path: String,
        /// What is wrong with it.
        source: NotTokens,
    },
    /// It would be cut where it is read again.
    #[error("{0:?}: an approval file cannot hold this: empty, or with a semicolon or line end")]
    NoValue(String),
    /// It looks like authentication data.
    #[error("{path}: {source}")]
    AuthData {
        /// Of the file.
        path: String,
        /// What is wrong with it.
        source: BadAuthData,
    },
    /// There is no approval in it.
    #[error("{0}: only tokens of getToken are approved, with an approval file")]
    NotForApproval(String),
    /// It goes into the file itself.
    #[error("{0}: the signatures of authentication data go into the file itself")]
    NoOut(String),
    /// A file would be lost.
    #[error("{0}: exists, and would be lost")]
    InTheWay(String),
    /// The approval file cannot be read.
    #[error("{path}: {source}")]
    Approvals {
        /// Of the approval file.
        path: String,
        /// What is wrong with it.
        source: NoApprovals,
    },
    /// It is about other tokens.
    #[error("{path}: approves {token_file}, not {file}")]
    OtherTokens {
        /// Of the approval file.
        path: String,
        /// What it is about.
        token_file: String,
        /// What is signed now.
        file: String,
    },
    /// The original reads no more.
    #[error("{0}: has {MAX_APPROVALS} approvals already")]
    Full(String),
    /// The authentication data cannot be written.
    #[error("cannot write {path}: {source}")]
    Rewritten {
        /// Of the file.
        path: String,
        /// Why.
        source: InTheWay,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {}", without_number(source))]
    Unwritable {
        /// Of the file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The key.
    #[error(transparent)]
    Key(#[from] NoKey),
}

/// What a file is, and what was found in it.
pub enum ToSign {
    /// Tokens of getToken.
    Tokens(Vec<u8>, Vec<Token>),
    /// Bytes of an officer's choice.
    Registration(Vec<u8>),
    /// Digests.
    AuthData(AuthData),
}

impl Order {
    /// Reads what is to be signed, and makes sure that the signature can be written.
    ///
    /// # Errors
    ///
    /// If the file is nothing to be signed, or something is in the way.
    pub fn read(&self) -> Result<ToSign, NotSigned> {
        let to_sign = self.look()?;
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

    /// Signs what [`read`](Self::read) has read; returns what went where, a line each.
    ///
    /// # Errors
    ///
    /// If something cannot be written.
    pub fn sign(&self, to_sign: &ToSign, key: &PrivateKey) -> Result<String, NotSigned> {
        match to_sign {
            ToSign::Tokens(bytes, _) | ToSign::Registration(bytes) => self.sign_message(key, bytes),
            ToSign::AuthData(authdata) => self.sign_digests(key, authdata.clone()),
        }
    }

    fn look(&self) -> Result<ToSign, NotSigned> {
        let path = &self.file;
        let content =
            read(path, 256 * 1024).map_err(|source| NotSigned::Unreadable { path: path.clone(), source })?;
        if is_authdata(&content) {
            let bad = |source| NotSigned::AuthData { path: path.clone(), source };
            return AuthData::load(path).map(ToSign::AuthData).map_err(bad);
        }
        match Token::parse_file(&content) {
            Ok(tokens) => Ok(ToSign::Tokens(content, tokens)),
            // Half a token is nothing that anybody means.
            Err(source) if Token::begins(&content) => Err(NotSigned::Tokens { path: path.clone(), source }),
            Err(_) if (1..=MAX_REGISTRATION_TOKEN).contains(&content.len()) => {
                Ok(ToSign::Registration(content))
            }
            Err(_) => Err(NotSigned::Unknown(path.clone())),
        }
    }

    fn sign_digests(&self, key: &PrivateKey, mut authdata: AuthData) -> Result<String, NotSigned> {
        let path = &self.file;
        let bad = |source| NotSigned::AuthData { path: path.clone(), source };
        for entry in &mut authdata.data {
            let signature = key.sign_digest(entry.digest().map_err(bad)?)?;
            entry.sign(&signature);
        }
        authdata.public_key = key.public_pem()?;
        authdata.write(path).map_err(|source| NotSigned::Rewritten { path: path.clone(), source })?;
        Ok(format!("Signed {} digests, in {path}\n", authdata.data.len()))
    }

    fn sign_message(&self, key: &PrivateKey, message: &[u8]) -> Result<String, NotSigned> {
        let out = self.signature_file();
        let approval = self.approval_with(&out)?;
        write(&out, &key.sign(message)?)?;
        let mut told = format!("Signature written to {out}\n");
        if let Some((path, text)) = approval {
            write(path, text.as_bytes())?;
            told.push_str(&format!("Approval written to {path}\n"));
        }
        Ok(told)
    }

    fn must_be_writable(&self) -> Result<(), NotSigned> {
        let out = self.signature_file();
        let place = |path: &str| {
            let unreadable = |source| NotSigned::Unreadable { path: path.to_owned(), source };
            metadata_to_replace(path).map_err(unreadable)
        };
        if place(&out)?.is_some_and(|there| u64::try_from(SIGNATURE) != Ok(there.len())) {
            return Err(NotSigned::InTheWay(out));
        }
        if let Some((path, approver)) = &self.approval {
            place(path)?;
            if is_same_file(path, &out) || is_same_file(path, &self.file) {
                return Err(NotSigned::InTheWay(path.clone()));
            }
            // The file ends a value there.
            let words = [&approver.name, &out, &self.file];
            if let Some(word) =
                words.into_iter().find(|word| word.is_empty() || word.contains([';', '\n', '\r']))
            {
                return Err(NotSigned::NoValue(word.clone()));
            }
            self.approval_with(&out)?;
        }
        Ok(())
    }

    /// Two approvers of one token sign into two files.
    fn signature_file(&self) -> String {
        match (&self.out, &self.approval) {
            (Some(out), _) => out.clone(),
            (None, Some((_, approver))) => format!("{}.{}.sig", self.file, approver.name),
            (None, None) => format!("{}.sig", self.file),
        }
    }

    /// The approval file as it is to be: an approver who is in it already gets the new signature.
    fn approval_with(&self, out: &str) -> Result<Option<(&str, String)>, NotSigned> {
        let Some((path, approver)) = &self.approval else { return Ok(None) };
        let approver = Approver { file: out.to_owned(), ..approver.clone() };
        if !Path::new(path).exists() {
            let file = ApprovalFile { token_file: self.file.clone(), approvers: vec![approver] };
            return Ok(Some((path, file.to_text())));
        }
        let bad = |source| NotSigned::Approvals { path: path.clone(), source };
        let text = read_text(path, MAX_FILE).map_err(|source| bad(source.into()))?;
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

/// Also one that was broken by hand: a registration token can begin with any byte.
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
    /// What somebody is about to sign, a line each.
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
    fs::write(path, content).map_err(|source| NotSigned::Unwritable { path: path.to_owned(), source })
}
