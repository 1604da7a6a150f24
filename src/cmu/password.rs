//! Passwords: typed in the line, asked for without echo, or read from a place that no transcript or process list
//! shows.

use std::collections::BTreeMap;
use std::env;

use super::{Session, Stop};
use crate::command::{Argument, Given, Kind, PROMPT, Usage};
use crate::console::Input;
use crate::files::{Unreadable, is_standard_input, read_line};
use crate::protocol::Secret;

pub(super) const PASSWORD: Argument = Argument::word("password", Kind::Password).or(&[PROMPT, ENV, FILE, FD]);

const ENV: Argument = Argument::flag("-env", "NAME", Kind::Text, "name of the environment variable");
const FILE: Argument = Argument::flag("-file", "PATH", Kind::File, "path of the password file");
const FD: Argument = Argument::flag("-fd", "N", Kind::Number, "number of the open file");

/// Where a password comes from.
pub(super) enum Password {
    /// Typed in the command line.
    Typed(Secret),
    /// Asked for without echo.
    Prompted,
    /// Read from the environment variable of this name.
    Env(String),
    /// Read from the first line of this file.
    File(String),
    /// Read from the next line of this open file, so that one descriptor can hold several passwords.
    Fd(u32),
}

/// The offset of the next line in each open file, by descriptor number.
pub(super) type NextLines = BTreeMap<u32, u64>;

/// Why a password cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoPassword {
    #[error("environment variable {0} is unset, empty or not UTF-8")]
    Env(String),
    #[error("{path}: {reason}")]
    File { path: String, reason: Unreadable },
    #[error("standard input carries the commands; use -hpswd to read its next line")]
    StandardInput,
    #[error("the input has ended")]
    Ended,
    #[error("interrupted")]
    Interrupted,
}

impl Password {
    /// Reads [`PASSWORD`] or what is given instead of it.
    pub(super) fn parse(given: &Given<'_>) -> Result<Self, Usage> {
        Ok(if given.has(&PROMPT) {
            Self::Prompted
        } else if given.has(&ENV) {
            Self::Env(given.text(&ENV)?)
        } else if given.has(&FILE) {
            Self::File(given.text(&FILE)?)
        } else if given.has(&FD) {
            Self::Fd(given.number(&FD)?)
        } else {
            Self::Typed(Secret::new(given.text(&PASSWORD)?))
        })
    }

    /// The password of an existing user; if prompted, asked for once.
    pub(super) fn given(self, session: &mut Session<'_>, prompt: &str) -> Result<Secret, Stop> {
        match self {
            Self::Prompted => asked(session, prompt),
            other => other.read(session),
        }
    }

    /// A new password; if prompted, asked for twice.
    pub(super) fn chosen(self, session: &mut Session<'_>, prompt: &str, again: &str) -> Result<Secret, Stop> {
        let Self::Prompted = self else { return self.read(session) };
        let secret = asked(session, prompt)?;
        let repeated = asked(session, again)?;
        if secret.expose() == repeated.expose() { Ok(secret) } else { Err(Stop::unequal_passwords()) }
    }

    fn read(self, session: &mut Session<'_>) -> Result<Secret, Stop> {
        match self {
            Self::Typed(secret) => Ok(secret),
            Self::Prompted => Err(NoPassword::Ended.into()),
            Self::Env(name) => match env::var(&name) {
                Ok(password) if !password.is_empty() => Ok(Secret::new(password)),
                Ok(_) | Err(_) => Err(NoPassword::Env(name).into()),
            },
            // The console reads standard input, too, and buffers it: a password read there would be taken out of the
            // commands at an unpredictable place.
            Self::File(path) if session.console.reads_standard_input() && is_standard_input(&path) => {
                Err(NoPassword::StandardInput.into())
            }
            Self::File(path) => Ok(line_of(session, path, 0)?.0),
            Self::Fd(0) if session.console.reads_standard_input() => Err(NoPassword::StandardInput.into()),
            Self::Fd(number) => {
                let start = session.next_lines.get(&number).copied().unwrap_or_default();
                // Opening `/dev/fd/N` starts at the beginning of a file, so the place of the next line is remembered
                // here.
                let (line, next) = line_of(session, format!("/dev/fd/{number}"), start)?;
                session.next_lines.insert(number, next);
                Ok(line)
            }
        }
    }
}

/// Reads one line of a file. A pipe blocks until another program writes to it, and a blocking read cannot be
/// interrupted: therefore on a separate thread.
fn line_of(session: &mut Session<'_>, path: String, start: u64) -> Result<(Secret, u64), NoPassword> {
    let named = path.clone();
    match session.on_a_thread(&path, move || read_line(&named, start)) {
        Some(Ok((line, next))) => Ok((Secret::new(line), next)),
        Some(Err(reason)) => Err(NoPassword::File { path, reason }),
        None => Err(NoPassword::Interrupted),
    }
}

fn asked(session: &mut Session<'_>, prompt: &str) -> Result<Secret, Stop> {
    match session.console.secret(prompt) {
        Input::Given(secret) => Ok(secret),
        Input::Interrupted => Err(Stop::Interrupted),
        Input::Ended if session.interrupt.is_raised() => Err(NoPassword::Interrupted.into()),
        Input::Ended => Err(NoPassword::Ended.into()),
    }
}
