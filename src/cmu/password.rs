//! Passwords: typed in the line, or asked for without echo.

use super::Session;
use crate::console::Input;
use crate::protocol::Secret;

/// The word that stands for a password to be asked for.
pub(super) const PROMPTED: &str = "-hpswd";

/// Where a password comes from.
pub(super) enum Password {
    /// From the line.
    Typed(Secret),
    /// From the operator, without echo.
    Prompted,
}

impl Password {
    pub(super) fn parse(word: &str) -> Self {
        if word == PROMPTED { Self::Prompted } else { Self::Typed(Secret::new(word.to_owned())) }
    }

    /// The password itself; asked for once.
    pub(super) fn given(self, session: &mut Session<'_>, prompt: &str) -> Option<Secret> {
        match self {
            Self::Typed(secret) => Some(secret),
            Self::Prompted => given(session.console.secret(prompt)),
        }
    }

    /// A new password; asked for twice, and `None` if the two differ.
    pub(super) fn chosen(self, session: &mut Session<'_>, prompt: &str, again: &str) -> Option<Secret> {
        match self {
            Self::Typed(secret) => Some(secret),
            Self::Prompted => {
                let secret = given(session.console.secret(prompt))?;
                let repeated = given(session.console.secret(again))?;
                if secret.expose() == repeated.expose() {
                    return Some(secret);
                }
                session.console.print("The passwords are not the same.\n");
                None
            }
        }
    }
}

fn given(input: Input<Secret>) -> Option<Secret> {
    match input {
        Input::Given(secret) => Some(secret),
        Input::Interrupted | Input::Ended => None,
    }
}
