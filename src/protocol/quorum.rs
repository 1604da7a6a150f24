//! Quorum: operations that M of N users have to approve, by signing a token outside the HSM.
//!
//! A user who wants something approved gets a [`Token`] from every HSM and writes them to one file, one after the
//! other. The approvers sign that file (RSA-2048, PKCS #1 v1.5, SHA-256), so that one signature does for all HSMs, and
//! each HSM takes the signatures with the whole file ([`ApproveToken`]). The token is used up by the one operation
//! that succeeds.

use serde::{Deserialize, Serialize};

use super::about::About;
use super::key_handle::KeyHandle;
pub use super::service::Service;
use super::user_type::UserType;

/// The longest registration token, in bytes.
pub const MAX_REGISTRATION_TOKEN: usize = 245;

/// The most tokens in a file: one for each HSM.
pub const MAX_TOKENS: usize = 32;

/// Bytes of a signature.
pub const SIGNATURE: usize = 256;

/// Registers the caller's public key, by which its approvals are verified, in place of an earlier one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegisterQuorumKey {
    /// Of the caller.
    pub user_type: UserType,
    /// Of the caller.
    pub name: String,
    /// Any bytes, at most [`MAX_REGISTRATION_TOKEN`].
    pub token: Vec<u8>,
    /// Of the token: proves that the caller has the private key.
    pub signature: Vec<u8>,
    /// An RSA key of 2048 bits, as SubjectPublicKeyInfo in DER.
    pub public_key: Vec<u8>,
}

impl About for RegisterQuorumKey {
    fn subject(&self) -> Option<(UserType, &str)> {
        Some((self.user_type, &self.name))
    }
}

/// Sets how many COs have to approve the operations of a service.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SetMValue {
    /// [`Service::UserManagement`] or [`Service::MiscCo`]; a key gets its M value when it is made.
    pub service: Service,
    /// 2 to 8, and no more than there are COs.
    pub m: u8,
}

impl About for SetMValue {}

/// Asks how many have to approve the operations of a service; 1 means no approval.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct GetMValue {
    /// Any.
    pub service: Service,
}

impl About for GetMValue {}

/// Gets a token for one operation, to be approved. It ends with the login, or after ten minutes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetToken {
    /// The one that the operation belongs to.
    pub service: Service,
    /// The caller's name.
    pub name: String,
    /// The key of the operation; `KeyHandle(0)` if it is not about one.
    pub key: KeyHandle,
}

// It names a key, but neither uses nor changes it.
impl About for GetToken {}

/// One user's approval of a token that the caller got in this session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApproveToken {
    /// The whole file that was signed: tokens of one or several HSMs, one of them this HSM's.
    pub tokens: Vec<u8>,
    /// Of the approver.
    pub user_type: UserType,
    /// Of the approver.
    pub name: String,
    /// Of the file, by the approver's registered key.
    pub signature: Vec<u8>,
}

impl About for ApproveToken {
    fn subject(&self) -> Option<(UserType, &str)> {
        Some((self.user_type, &self.name))
    }
}

/// Lists all tokens of the HSM, oldest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListTokens;

impl About for ListTokens {}

/// A token as [`ListTokens`] shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    /// What it is for, and whose it is.
    pub about: TokenAbout,
    /// Seconds until it expires.
    pub validity: u32,
    /// How many approvals it needs.
    pub required: u8,
    /// Names of those who have approved it and still may.
    pub approvers: Vec<String>,
}

/// Deletes tokens of the caller.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum DeleteTokens {
    /// The one of this HSM in a file of tokens.
    OfFile(Vec<u8>),
    /// All, whatever session they were got in.
    All,
}

impl About for DeleteTokens {}

/// What a token is for, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenAbout {
    /// Counts from 1 on each HSM, anew after each start.
    pub id: u32,
    /// The one that its operation belongs to.
    pub service: Service,
    /// The HSM's node id.
    pub node: u32,
    /// The key that it is good for; 0 if it is not about one.
    pub key: KeyHandle,
    /// Name of the user who got it.
    pub user: String,
}

/// What an HSM gives to be signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// What it is for, and whose it is.
    pub about: TokenAbout,
    /// At most 16 bytes.
    pub hsm_id: String,
    /// Random: no two tokens are alike.
    pub nonce: [u8; 32],
}

/// What a token begins with; the digit is its version.
const MAGIC: &[u8; 8] = b"CHSMTOK1";

const NAME: usize = 32;
const HSM_ID: usize = 16;

impl Token {
    /// Bytes of a token: the magic, four numbers in big endian, two texts filled up with zeros, and the nonce.
    pub const SIZE: usize = MAGIC.len() + 4 * 4 + NAME + HSM_ID + 32;

    /// The bytes that are signed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let TokenAbout { id, service, node, key, user } = &self.about;
        let mut bytes = MAGIC.to_vec();
        for number in [*id, u32::from(service.number()), *node, key.0] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(padded::<NAME>(user));
        bytes.extend(padded::<HSM_ID>(&self.hsm_id));
        bytes.extend(self.nonce);
        bytes
    }

    /// Whether it is what was asked of this HSM: whoever signs it approves this and nothing else.
    #[must_use]
    pub fn is_for(&self, asked: &GetToken, hsm_id: &str) -> bool {
        let TokenAbout { service, key, user, id: _, node: _ } = &self.about;
        (*service, *key) == (asked.service, asked.key)
            && user.eq_ignore_ascii_case(&asked.name)
            && self.hsm_id == hsm_id
    }

    /// Whether bytes begin like a token, whole or not.
    #[must_use]
    pub fn begins(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// Reads a file of one or several tokens.
    ///
    /// # Errors
    ///
    /// If it is anything else; the first fault is reported.
    pub fn parse_file(bytes: &[u8]) -> Result<Vec<Self>, NotTokens> {
        if bytes.is_empty() || !bytes.len().is_multiple_of(Self::SIZE) {
            return Err(NotTokens::Size(bytes.len()));
        }
        if bytes.len() > MAX_TOKENS * Self::SIZE {
            return Err(NotTokens::TooMany);
        }
        bytes.chunks(Self::SIZE).map(|token| Self::parse(token).ok_or(NotTokens::Content)).collect()
    }

    /// Takes only what [`to_bytes`](Self::to_bytes) can have written, so that no two files read as the same tokens.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (id, rest) = number(rest)?;
        let (service, rest) = number(rest)?;
        let (node, rest) = number(rest)?;
        let (key, rest) = number(rest)?;
        let (user, rest) = text::<NAME>(rest)?;
        let (hsm_id, rest) = text::<HSM_ID>(rest)?;
        let service = Service::numbered(u8::try_from(service).ok()?)?;
        let about = TokenAbout { id, service, node, key: KeyHandle(key), user };
        Some(Self { about, hsm_id, nonce: <[u8; 32]>::try_from(rest).ok()? })
    }
}

/// Why a file does not hold tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTokens {
    /// Truncated, or something else.
    #[error("Invalid Token Size: {0} (a token has {size} bytes)", size = Token::SIZE)]
    Size(usize),
    /// More than any cluster has HSMs.
    #[error("number of tokens in the file is more than {MAX_TOKENS}")]
    TooMany,
    /// The right size, but not tokens.
    #[error("not a token")]
    Content,
}

fn padded<const SIZE: usize>(text: &str) -> [u8; SIZE] {
    let mut field = [0; SIZE];
    field.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    field
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*number), rest))
}

fn text<const SIZE: usize>(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (field, rest) = bytes.split_first_chunk::<SIZE>()?;
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(SIZE);
    let (text, padding) = field.split_at_checked(end)?;
    let is_text = text.iter().all(u8::is_ascii_graphic) && padding.iter().all(|byte| *byte == 0);
    let text = String::from_utf8(text.to_vec()).ok().filter(|_| is_text)?;
    Some((text, rest))
}

#[cfg(test)]
mod tests {
    use super::{GetToken, KeyHandle, NotTokens, Service, Token, TokenAbout};

    #[test]
    fn a_token_is_read_as_it_was_written_and_only_so() {
        let bytes = token().to_bytes();
        assert_eq!(bytes.len(), Token::SIZE);
        assert_eq!(Token::parse_file(&bytes.repeat(2)), Ok(vec![token(), token()]));
        // The magic, the padding of the name, and that of the HSM's id.
        for at in [0, 8 + 16 + 20, 8 + 16 + 32 + 15] {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            assert_eq!(Token::parse_file(&altered), Err(NotTokens::Content), "{at}");
        }
        assert_eq!(Token::parse_file(&bytes[1..]), Err(NotTokens::Size(Token::SIZE - 1)));
        assert_eq!(Token::parse_file(&[]), Err(NotTokens::Size(0)));
        assert_eq!(Token::parse_file(&bytes.repeat(32)).map(|tokens| tokens.len()), Ok(32));
        assert_eq!(Token::parse_file(&bytes.repeat(33)), Err(NotTokens::TooMany));
    }

    #[test]
    fn a_token_is_for_one_service_key_user_and_hsm() {
        let asked =
            |service, name: &str, key| GetToken { service, name: name.to_owned(), key: KeyHandle(key) };
        let (token, hsm) = (token(), "hsm-aaaaaaaaaaa");
        assert!(token.is_for(&asked(Service::UserManagement, "officer1", 0), hsm));
        assert!(token.is_for(&asked(Service::UserManagement, "OFFICER1", 0), hsm));
        assert!(!token.is_for(&asked(Service::MiscCo, "officer1", 0), hsm));
        assert!(!token.is_for(&asked(Service::UserManagement, "officer2", 0), hsm));
        assert!(!token.is_for(&asked(Service::UserManagement, "officer1", 7), hsm));
        assert!(!token.is_for(&asked(Service::UserManagement, "officer1", 0), "hsm-bbbbbbbbbbb"));
    }

    fn token() -> Token {
        let (service, key) = (Service::UserManagement, KeyHandle(0));
        let about = TokenAbout { id: 1, service, node: 2, key, user: "officer1".to_owned() };
        Token { about, hsm_id: "hsm-aaaaaaaaaaa".to_owned(), nonce: [7; 32] }
    }
}
