//! The reasons why a command did not do all it was asked.

use super::Code;
use super::code::State;
use super::frame::{returned, status};
use crate::outcome::Outcome;

/// Why a command stopped.
#[derive(Debug)]
pub enum Stop {
    /// The command failed. The text, which has not been printed yet, says why.
    Failed(String),
    /// The operator did not answer a question.
    NoAnswer,
    /// The session is over.
    Quit,
}

/// The text that a command has left to print: of a success, or in [`Stop::Failed`] of a failure.
pub type Printed = Result<String, Stop>;

impl Stop {
    /// A failure; `text` says why.
    pub(super) fn failed(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }

    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Failed(_) | Self::NoAnswer => Outcome::Failed,
            Self::Quit => Outcome::Quit,
        }
    }

    pub(super) fn into_text(self) -> String {
        match self {
            Self::Failed(text) => text,
            Self::NoAnswer | Self::Quit => String::new(),
        }
    }
}

/// Ends a command with this text; the code decides whether it succeeded.
pub(super) fn ended(code: Code, text: String) -> Printed {
    if code == Code::SUCCESS { Ok(text) } else { Err(Stop::Failed(text)) }
}

/// Ends a command as most do, with the result line and the status block.
pub(super) fn ended_on(call: &str, code: Code, states: &[State]) -> Printed {
    ended(code, returned(call, code) + &status(states))
}
