//! What a command is here.

use super::{Printed, Session};

/// A command, registered in [`COMMANDS`](super::COMMANDS).
pub type Command = crate::command::Command<dyn Action>;

/// A command with its arguments, ready to run.
pub trait Action {
    /// Runs it, and returns what is left to print.
    ///
    /// # Errors
    ///
    /// If it did not do all it was asked.
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed;
}
