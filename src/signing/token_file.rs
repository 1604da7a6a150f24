//! Files of tokens.

use std::fs;

use crate::files::{Unreadable, metadata_to_replace, read, read_text};
use crate::protocol::quorum::{MAX_REGISTRATION_TOKEN, MAX_TOKENS, NotTokens, Token};

/// What is wrong with a file that should hold tokens.
#[derive(Debug, thiserror::Error)]
pub enum NoTokens {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// It holds something else.
    #[error(transparent)]
    Content(#[from] NotTokens),
}

/// Why tokens cannot be written to a file.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    /// It would be lost.
    #[error("exists, and holds no token")]
    InTheWay,
    /// The system says so.
    #[error(transparent)]
    System(#[from] Unreadable),
}

/// The tokens of a file, as they were signed; it has been made sure that they are tokens.
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

/// Whether tokens may be written to a file: in place of tokens, or of a registration token, which officers give the
/// same name, and of nothing else.
///
/// # Errors
///
/// If something is there that should not be lost.
pub fn must_be_free(path: &str) -> Result<(), NotWritten> {
    match metadata_to_replace(path)? {
        None => Ok(()),
        Some(there) if is_small(there.len()) && !is_pem(path) => Ok(()),
        Some(_) => load(path).map(|_| ()).map_err(|_| NotWritten::InTheWay),
    }
}

/// Writes tokens, one after the other.
///
/// # Errors
///
/// What the system says.
pub fn write(path: &str, tokens: &[Token]) -> Result<(), NotWritten> {
    let bytes: Vec<u8> = tokens.iter().flat_map(Token::to_bytes).collect();
    Ok(fs::write(path, bytes).map_err(Unreadable::from)?)
}

/// A small private key is no token, either.
fn is_pem(path: &str) -> bool {
    read_text(path, 1024).is_ok_and(|text| text.contains("-----BEGIN "))
}

fn is_small(length: u64) -> bool {
    u64::try_from(MAX_REGISTRATION_TOKEN).is_ok_and(|limit| length <= limit)
}

#[cfg(test)]
mod tests {
    use super::must_be_free;

    #[test]
    fn only_tokens_are_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("registration"), [7; 245]).unwrap();
        std::fs::write(path("key"), [7; 246]).unwrap();
        std::fs::write(path("small"), "-----BEGIN EC PRIVATE KEY-----").unwrap();
        assert!(must_be_free(&path("small")).is_err());
        assert!(must_be_free(&path("new")).is_ok());
        assert!(must_be_free(&path("registration")).is_ok());
        assert_eq!(must_be_free(&path("key")).unwrap_err().to_string(), "exists, and holds no token");
        for (path, why) in [
            (path(""), "not a file"),
            ("/dev/null".to_owned(), "not a file"),
            (path("none/new"), "No such file or directory"),
        ] {
            assert_eq!(must_be_free(&path).unwrap_err().to_string(), why);
        }
    }
}
