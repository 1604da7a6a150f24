//! Signing offline: a registration token, tokens for a quorum, or authentication data, whichever a file is.

use std::fs;
use std::io;
use std::path::Path;

use super::approval::{ApprovalFile, Approver, MAX_APPROVALS, NoApprovals};
use super::authdata::{AuthData, BadAuthData, InTheWay};
use super::file::{Unreadable, read, without_number};
use super::private_key::{NoKey, PrivateKey};
use crate::protocol::quorum::{MAX_REGISTRATION_TOKEN, SIGNATURE, Token};

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
    #[error("{0}: exists, and is no signature")]
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

impl Order {
    /// Signs; returns what was signed and where it went, a line each.
    ///
    /// # Errors
    ///
    /// If the file is nothing to be signed, or something cannot be written.
    pub fn carry_out(&self, key: &PrivateKey) -> Result<String, NotSigned> {
        let path = &self.file;
        let content =
            read(path, 256 * 1024).map_err(|source| NotSigned::Unreadable { path: path.clone(), source })?;
        if content.trim_ascii_start().starts_with(b"{") {
            return self.sign_digests(key);
        }
        match Token::parse_file(&content) {
            Ok(tokens) => {
                let shown: String = tokens.iter().map(show).collect();
                Ok(shown + &self.sign_message(key, &content)?)
            }
            Err(_) if self.approval.is_some() => Err(NotSigned::NotForApproval(path.clone())),
            Err(_) if (1..=MAX_REGISTRATION_TOKEN).contains(&content.len()) => {
                self.sign_message(key, &content)
            }
            Err(_) => Err(NotSigned::Unknown(path.clone())),
        }
    }

    fn sign_digests(&self, key: &PrivateKey) -> Result<String, NotSigned> {
        let path = &self.file;
        if self.approval.is_some() {
            return Err(NotSigned::NotForApproval(path.clone()));
        }
        if self.out.is_some() {
            return Err(NotSigned::NoOut(path.clone()));
        }
        let bad = |source| NotSigned::AuthData { path: path.clone(), source };
        let mut authdata = AuthData::load(path).map_err(bad)?;
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
        if fs::metadata(&out).is_ok_and(|there| u64::try_from(SIGNATURE) != Ok(there.len())) {
            return Err(NotSigned::InTheWay(out));
        }
        let approval = self.new_approval(&out)?;
        write(&out, &key.sign(message)?)?;
        let mut told = format!("Signature written to {out}\n");
        if let Some((path, approvals)) = approval {
            write(path, approvals.to_text().as_bytes())?;
            told.push_str(&format!("Approval {} written to {path}\n", approvals.approvers.len()));
        }
        Ok(told)
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
    fn new_approval(&self, out: &str) -> Result<Option<(&str, ApprovalFile)>, NotSigned> {
        let Some((path, approver)) = &self.approval else { return Ok(None) };
        let mut approvals = if Path::new(path).exists() {
            let source = ApprovalFile::load(path);
            source.map_err(|source| NotSigned::Approvals { path: path.clone(), source })?
        } else {
            ApprovalFile { token_file: self.file.clone(), approvers: Vec::new() }
        };
        if approvals.token_file != self.file {
            let (path, token_file) = (path.clone(), approvals.token_file);
            return Err(NotSigned::OtherTokens { path, token_file, file: self.file.clone() });
        }
        approvals.approvers.retain(|earlier| !earlier.is_same_user(approver));
        if approvals.approvers.len() >= MAX_APPROVALS {
            return Err(NotSigned::Full(path.clone()));
        }
        approvals.approvers.push(Approver { file: out.to_owned(), ..approver.clone() });
        Ok(Some((path, approvals)))
    }
}

/// What somebody is about to approve.
fn show(token: &Token) -> String {
    let about = &token.about;
    let (number, name) = (about.service.number(), about.service.name());
    let key = if about.key.0 == 0 { String::new() } else { format!(", key {}", about.key) };
    format!("Token {} of {} for {}: service {number}[{name}]{key}\n", about.id, token.hsm_id, about.user)
}

fn write(path: &str, content: &[u8]) -> Result<(), NotSigned> {
    fs::write(path, content).map_err(|source| NotSigned::Unwritable { path: path.to_owned(), source })
}
