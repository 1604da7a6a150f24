//! What a command is here.

use super::{Session, Stop};

/// A command, registered in [`COMMANDS`](super::COMMANDS).
pub type Command = crate::command::Command<dyn Action>;

/// A command with its arguments, ready to run.
pub trait Action {
    /// Runs it, and prints what it has to say.
    ///
    /// # Errors
    ///
    /// If it did not do all it was asked; [`Session::run`] prints why.
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop>;
}
