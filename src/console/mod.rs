//! Where lines come from and text goes: a terminal, a script, a test.
//!
//! Only this folder and the programs print. A console never fails a caller: once nobody can read what it
//! writes, it takes no more lines, and the session ends as at the end of input.

mod no_echo;
mod pump;
mod script;
mod terminal;
mod tty;

use std::io::{self, IsTerminal};

pub use script::{Echo, Script};
pub use terminal::Terminal;

use crate::interrupt::Interrupt;
use crate::protocol::Secret;

/// The one interface between commands and whoever runs them.
pub trait Console {
    /// Shows `prompt`, once and with nothing after it, and reads one command line without its line end.
    fn line(&mut self, prompt: &str) -> Input<String>;

    /// Shows `question` and reads the answer, which everybody may see.
    fn answer(&mut self, question: &str) -> Input<String>;

    /// Shows `prompt` and reads an answer that nobody sees: echo is off before the prompt appears.
    fn secret(&mut self, prompt: &str) -> Input<Secret>;

    /// Writes a part of the session's text; line ends are the caller's.
    fn print(&mut self, text: &str);

    /// Whether the output could not be written, as nobody reads it any more or there is no room for it, or the input
    /// not be read: no line comes any more, though some may be left.
    fn is_lost(&self) -> bool;
}

/// The console that fits standard input and output: a [`Terminal`] if both are one, a [`Script`] otherwise.
///
/// # Errors
///
/// If the terminal's mode cannot be set.
pub fn open(mask: Mask, recall: Recall, interrupt: &Interrupt) -> io::Result<Box<dyn Console>> {
    match (io::stdin().is_terminal(), io::stdout().is_terminal()) {
        (true, true) => Ok(Box::new(Terminal::open(mask, recall, interrupt.clone())?)),
        (true, false) => Ok(Box::new(Script::new(io::stdin().lock(), io::stdout(), mask, Echo::Typed))),
        (false, _) => Ok(Box::new(Script::new(io::stdin().lock(), io::stdout(), mask, Echo::Written))),
    }
}

/// What came from the person or the script. In each case the output is at the beginning of a line again.
pub enum Input<T> {
    /// A whole line.
    Given(T),
    /// Ctrl-C: the line or the question is abandoned, the session goes on.
    Interrupted,
    /// End of input: no line will ever come again.
    Ended,
}

/// Shows a line as others may see it: each character of a secret as `*`.
///
/// The result has as many characters as the line, and the mask of a line's beginning is the beginning of the
/// line's mask, so that a terminal can echo character by character.
pub type Mask = fn(&str) -> String;

/// What arrow-up brings back of a line: one that can be entered again, without its secrets.
pub type Recall = fn(&str) -> String;
