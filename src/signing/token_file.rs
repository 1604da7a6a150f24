//! Token files.

use crate::files::{self, NotWritten, Readers, Unreadable, read, read_text};
use crate::protocol::quorum::{MAX_REGISTRATION_TOKEN, MAX_TOKENS, NotTokens, Token};

/// Why a file is not a token file.
#[derive(Debug, thiserror::Error)]
pub enum NoTokens {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// It holds something else.
    #[error(transparent)]
    Content(#[from] NotTokens),
}

/// Reads the tokens in a file: the very bytes that officers sign, which are known to be tokens.
///
/// # Errors
///
/// If it cannot be read or is something else.
pub fn load(path: &str) -> Result<Vec<u8>, NoTokens> {
    let limit = u64::try_from(MAX_TOKENS.saturating_mul(Token::SIZE)).unwrap_or(u64::MAX);
    let tokens = read(path, limit)?;
    Token::parse_file(&tokens)?;
    Ok(tokens)
}

/// Whether tokens may be written to a file: nothing but tokens or a registration token may be replaced. In the CloudHSM
/// guide both have the same file name.
///
/// # Errors
///
/// If something is there that should not be lost.
pub fn must_be_free(path: &str) -> Result<(), NotWritten> {
    // A registration token is any short file, but never a private key.
    let is_registration = |length| is_short(length) && !is_pem(path);
    files::must_be_free(path, "a token file", |length| is_registration(length) || load(path).is_ok())
}

/// Writes tokens, one after another.
///
/// # Errors
///
/// If they cannot be written.
pub fn write(path: &str, tokens: &[Token]) -> Result<(), NotWritten> {
    let bytes: Vec<u8> = tokens.iter().flat_map(Token::to_bytes).collect();
    Ok(files::write(path, &bytes, Readers::Everybody)?)
}

fn is_pem(path: &str) -> bool {
    read_text(path, 1024).is_ok_and(|text| text.contains("-----BEGIN "))
}

fn is_short(length: u64) -> bool {
    u64::try_from(MAX_REGISTRATION_TOKEN).is_ok_and(|limit| length <= limit)
}

#[cfg(test)]
mod tests {
    use super::must_be_free;

    #[test]
    fn only_tokens_are_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("registration"), [7; 245]).unwrap();
        std::fs::write(path("key"), [7; 246]).unwrap();
        std::fs::write(path("small"), "-----BEGIN EC PRIVATE KEY-----").unwrap();
        assert!(must_be_free(&path("small")).is_err());
        assert!(must_be_free(&path("new")).is_ok());
        assert!(must_be_free(&path("registration")).is_ok());
        assert_eq!(must_be_free(&path("key")).unwrap_err().to_string(), "exists and is not a token file");
        for (path, why) in [
            (path(""), "not a file"),
            ("/dev/null".to_owned(), "not a file"),
            (path("none/new"), "No such file or directory"),
        ] {
            assert_eq!(must_be_free(&path).unwrap_err().to_string(), why);
        }
    }
}
