//! How a command ends that did not do all it was asked.

use super::Code;
use super::code::State;
use super::frame::{returned, status};
use crate::outcome::Outcome;

/// Why a command stopped.
#[derive(Debug)]
pub enum Stop {
    /// It failed; the text says why, and is not printed yet.
    Failed(String),
    /// A question has no answer.
    NoAnswer,
    /// The session is over.
    Quit,
}

/// What a command has left to print: of a success, or in [`Stop::Failed`] of a failure.
pub type Printed = Result<String, Stop>;

impl Stop {
    /// The command failed; `text` says why.
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

/// A text that ends a command with this code.
pub(super) fn ended(code: Code, text: String) -> Printed {
    if code == Code::SUCCESS { Ok(text) } else { Err(Stop::Failed(text)) }
}

/// The usual end: the result line and the status block.
pub(super) fn ended_on(call: &str, code: Code, states: &[State]) -> Printed {
    ended(code, returned(call, code) + &status(states))
}
