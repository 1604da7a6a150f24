//! The arguments `<user-type> <user-name> <password |-hpswd |…> [-2fa </path/to/authdata>]`.

use super::password::Password;
use super::second_factor::AuthFile;
use super::{Usage, Words};

/// As help shows them.
pub(super) const ARGUMENTS: &str =
    "<user-type> <user-name> <password |-hpswd |-env NAME |-file PATH |-fd N> [-2fa </path/to/authdata>]";

/// Who, and by what password.
pub(super) struct Credentials {
    /// As typed: the HSM says which types it takes, after the caution, as the original does.
    pub(super) type_word: String,
    pub(super) name: String,
    pub(super) password: Password,
    pub(super) second_factor: Option<AuthFile>,
}

impl Credentials {
    /// Reads all arguments of a command.
    pub(super) fn parse(mut words: Words<'_>) -> Result<Self, Usage> {
        let type_word = words.next("user-type")?.to_owned();
        let name = words.next("user-name")?.to_owned();
        let password = Password::parse(&mut words)?;
        let second_factor = AuthFile::parse(&mut words)?;
        words.finish()?;
        Ok(Self { type_word, name, password, second_factor })
    }
}
