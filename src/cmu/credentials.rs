//! The arguments `<user-type> <user-name> <password |-hpswd>`.

use super::password::Password;
use super::{Usage, Words};

/// Who, and by what password.
pub(super) struct Credentials {
    /// As typed: the HSM says which types it takes, after the caution, as the original does.
    pub(super) type_word: String,
    pub(super) name: String,
    pub(super) password: Password,
}

impl Credentials {
    /// Reads all arguments of a command.
    pub(super) fn parse(mut words: Words<'_>) -> Result<Self, Usage> {
        let type_word = words.next("user-type")?.to_owned();
        let name = words.next("user-name")?.to_owned();
        let password = Password::parse(words.next("password")?);
        words.finish()?;
        Ok(Self { type_word, name, password })
    }
}
