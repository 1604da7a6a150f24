//! The reasons why a command did not do all it was asked.

use std::fmt::Display;

use super::password::NoPassword;
use crate::cluster::Unaskable;
use crate::command::Unknown;
use crate::common::Unwritable;
use crate::outcome::Outcome;

/// Why a command stopped. [`Session::run`](super::Session::run) prints what has not been printed yet.
#[derive(Debug)]
pub enum Stop {
    /// The operator answered no to the question whether to continue, which is not a failure.
    Declined,
    /// The operator pressed Ctrl-C at a question.
    Interrupted,
    /// The command failed as a whole.
    Failed(CommandError),
    /// It failed on servers; each of them has been reported already.
    Servers,
    /// It compared servers, and they differ.
    Different,
    /// The session is over.
    Quit,
}

/// Why a command failed, with a hint for the operator.
#[derive(Debug)]
pub struct CommandError {
    reason: Reason,
    hint: Option<&'static str>,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum Reason {
    /// Printed after the command's name, as in `createUser failed: {0}`.
    #[error("{0}")]
    Command(String),
    #[error("No password: {0}")]
    Password(#[from] NoPassword),
    #[error("The passwords are not the same.")]
    Unequal,
    #[error("Not confirmed: {0}")]
    NotConfirmed(&'static str),
    /// The argument of `help` is not a command.
    #[error(transparent)]
    Unknown(#[from] Unknown),
}

impl Stop {
    /// A failure of the whole command, such as a file that cannot be read.
    pub(super) fn failed(reason: impl Display) -> Self {
        Reason::Command(reason.to_string()).into()
    }

    /// The operator typed two different passwords.
    pub(super) fn unequal_passwords() -> Self {
        Reason::Unequal.into()
    }

    /// The question whether to continue was not answered.
    pub(super) fn not_confirmed(why: &'static str) -> Self {
        Reason::NotConfirmed(why).into()
    }

    /// Adds a line below the reason.
    pub(super) fn with_hint(self, hint: &'static str) -> Self {
        match self {
            Self::Failed(CommandError { reason, .. }) => {
                Self::Failed(CommandError { reason, hint: Some(hint) })
            }
            Self::Declined | Self::Interrupted | Self::Servers | Self::Different | Self::Quit => self,
        }
    }

    /// How the command ended; [`Tally::refine`](super::Tally::refine) adds what the servers' answers say about it.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Declined => Outcome::Done,
            Self::Interrupted | Self::Failed(_) | Self::Servers => Outcome::Failed,
            Self::Different => Outcome::Different,
            Self::Quit => Outcome::Quit,
        }
    }

    /// The text that has not been printed yet.
    pub(super) fn text(&self, command: &str) -> String {
        let Self::Failed(CommandError { reason, hint }) = self else { return String::new() };
        let mut text = match reason {
            Reason::Command(reason) => format!("{command} failed: {reason}\n"),
            Reason::Password(_) | Reason::Unequal | Reason::NotConfirmed(_) | Reason::Unknown(_) => {
                format!("{reason}\n")
            }
        };
        if let Some(hint) = hint {
            text.push_str(hint);
            text.push('\n');
        }
        text
    }
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Failed(CommandError { reason, hint: None })
    }
}

impl From<NoPassword> for Stop {
    fn from(reason: NoPassword) -> Self {
        Reason::from(reason).into()
    }
}

impl From<Unknown> for Stop {
    fn from(reason: Unknown) -> Self {
        Reason::from(reason).into()
    }
}

impl From<Unaskable> for Stop {
    fn from(reason: Unaskable) -> Self {
        Self::failed(reason)
    }
}

impl From<Unwritable> for Stop {
    fn from(reason: Unwritable) -> Self {
        Self::failed(reason)
    }
}
