//! The arguments `<user-type> <user-name> <password |-hpswd |…> [-2fa </path/to/authdata>]`.

use super::arguments::{USER_NAME, USER_TYPE};
use super::password::{PASSWORD, Password};
use super::second_factor::{AUTH_FILE, AuthFile};
use crate::command::{Argument, Given, Usage};

pub(super) const ARGUMENTS: &[Argument] = &[USER_TYPE, USER_NAME, PASSWORD, AUTH_FILE];

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
    pub(super) fn parse(given: &Given<'_>) -> Result<Self, Usage> {
        Ok(Self {
            type_word: given.text(&USER_TYPE)?,
            name: given.text(&USER_NAME)?,
            password: Password::parse(given)?,
            second_factor: given.maybe(&AUTH_FILE, AuthFile::parse)?,
        })
    }
}
