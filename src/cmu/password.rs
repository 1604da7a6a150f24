//! Passwords: typed in the line, asked for without echo, or read from where no line shows them.

use std::env;

use super::{Session, Usage, Words};
use crate::console::Input;
use crate::protocol::Secret;
use crate::signing::file::{Unreadable, read_line};

/// The word that stands for a password to be asked for.
pub(super) const PROMPTED: &str = "-hpswd";

/// The words that stand for a password to be read, with what comes behind them.
pub(super) const READ: [&str; 3] = ["-env", "-file", "-fd"];

/// Where a password comes from.
pub(super) enum Password {
    /// From the line.
    Typed(Secret),
    /// From the operator, without echo.
    Prompted,
    /// From the environment variable of this name.
    Env(String),
    /// From the first line of this file.
    File(String),
    /// From the next line of this open file.
    Fd(u32),
}

/// Why a password cannot be read.
#[derive(Debug, thiserror::Error)]
enum NoPassword {
    #[error("environment variable {0} is not set, or not a text")]
    Env(String),
    #[error("{path}: {reason}")]
    File { path: String, reason: Unreadable },
}

impl Password {
    /// Reads the next argument, or two.
    pub(super) fn parse(words: &mut Words<'_>) -> Result<Self, Usage> {
        match words.next("password")? {
            PROMPTED => Ok(Self::Prompted),
            "-env" => Ok(Self::Env(words.next("name of the environment variable")?.to_owned())),
            "-file" => Ok(Self::File(words.next("path of the password file")?.to_owned())),
            "-fd" => Ok(Self::Fd(words.number("number of the open file")?)),
            word => Ok(Self::Typed(Secret::new(word.to_owned()))),
        }
    }

    /// The password itself; asked for once.
    pub(super) fn given(self, session: &mut Session<'_>, prompt: &str) -> Option<Secret> {
        match self {
            Self::Prompted => given(session.console.secret(prompt)),
            other => other.read(session),
        }
    }

    /// A new password; asked for twice, and `None` if the two differ.
    pub(super) fn chosen(self, session: &mut Session<'_>, prompt: &str, again: &str) -> Option<Secret> {
        let Self::Prompted = self else { return self.read(session) };
        let secret = given(session.console.secret(prompt))?;
        let repeated = given(session.console.secret(again))?;
        if secret.expose() == repeated.expose() {
            return Some(secret);
        }
        session.console.print("The passwords are not the same.\n");
        None
    }

    fn read(self, session: &mut Session<'_>) -> Option<Secret> {
        let from_file = |path: String| {
            read_line(&path).map_err(|reason| NoPassword::File { path, reason }).map(Secret::new)
        };
        let read = match self {
            Self::Typed(secret) => Ok(secret),
            Self::Prompted => return None,
            Self::Env(name) => env::var(&name).map(Secret::new).map_err(|_| NoPassword::Env(name)),
            Self::File(path) => from_file(path),
            Self::Fd(number) => from_file(format!("/dev/fd/{number}")),
        };
        if let Err(error) = &read {
            session.console.print(&format!("No password: {error}\n"));
        }
        read.ok()
    }
}

fn given(input: Input<Secret>) -> Option<Secret> {
    match input {
        Input::Given(secret) => Some(secret),
        Input::Interrupted | Input::Ended => None,
    }
}
