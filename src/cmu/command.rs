//! What a command is.

use super::{Session, Stop, Words};
use crate::protocol::Access;
use crate::protocol::quorum::Service;

/// One thing a person may type.
pub struct Command {
    /// As it is typed; enough of it to be unique will do.
    pub name: &'static str,
    /// Its arguments, as usage errors and help show them.
    pub arguments: &'static str,
    /// Where the list of commands has it.
    pub group: Group,
    /// One line for the list of commands.
    pub summary: &'static str,
    /// Paragraphs for `help <command>`.
    pub description: &'static str,
    /// A line to copy.
    pub example: &'static str,
    /// Who may run it, as the HSM decides; `None` if it asks no HSM.
    pub access: Option<Access>,
    /// What others may have to approve it for.
    pub service: Option<Service>,
    /// The number of the argument that is a password, counted from 1.
    pub secret: Option<usize>,
    /// Reads the arguments; nothing is asked, shown or sent before that is done.
    pub parse: fn(Words<'_>) -> Result<Box<dyn Action>, Usage>,
}

/// A part of the list of commands, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Logging in, and who may.
    User,
    /// Keys, whose they are and what they may do.
    Key,
    /// What others approve.
    Quorum,
    /// The HSMs themselves.
    Hsm,
    /// The console.
    Console,
}

impl Group {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::User, Self::Key, Self::Quorum, Self::Hsm, Self::Console];

    /// What stands above its commands.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::User => "Users",
            Self::Key => "Keys",
            Self::Quorum => "Approvals",
            Self::Hsm => "HSMs",
            Self::Console => "Console",
        }
    }
}

/// A command with its arguments, ready to run.
pub trait Action {
    /// Runs it, and prints what it has to say.
    ///
    /// # Errors
    ///
    /// If it did not do all it was asked; [`Session::run`] prints why.
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop>;
}

/// What is wrong with the arguments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Usage {
    /// There are too few.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// There are too many.
    #[error("too many arguments")]
    TooMany,
    /// One is not what it should be.
    #[error("{word:?} is not {expected}")]
    Invalid {
        /// What stands there.
        word: String,
        /// What could stand there.
        expected: &'static str,
    },
}

/// Lets a command hand its actions out.
pub(super) fn action(action: impl Action + 'static) -> Result<Box<dyn Action>, Usage> {
    Ok(Box::new(action))
}
