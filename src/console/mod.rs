//! Where lines come from and text goes: a terminal, a script, a test.
//!
//! Only this folder and the programs print. A console never fails a caller: once nobody can read what it
//! writes, it takes no more lines, and the session ends as at the end of input.

mod complete;
mod data;
mod fold;
mod no_echo;
mod pump;
mod script;
mod signals;
mod terminal;
mod tty;
mod utf8;

use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use std::time::Duration;

pub use complete::{Complete, Completion};
pub use data::Data;
pub use fold::fold;
pub use script::{Echo, Script, Source};
use signals::Watch;
pub use signals::end_by;
pub use terminal::{Terminal, history_file};

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

    /// Ends a command of which a program wants to read one line: `make` has it, of what was printed. Where people read,
    /// nothing happens.
    fn record(&mut self, _make: &mut dyn FnMut(&str) -> String) {}

    /// A command has waited so long, and still waits for the servers that `pending` names: a person may want to know.
    fn still_waiting(&mut self, _waited: Duration, _pending: &mut dyn FnMut() -> Vec<String>) {}

    /// Says, apart from the session's text, which line of which file failed, if the lines have a name.
    fn blame(&mut self, _what: &str) {}

    /// From now on, and until the next line is asked for, a command runs: a signal does not end the program before the
    /// command has ended and said what it has done. Its questions are not answered any more then.
    fn commence(&mut self) {}

    /// The signal that has ended the session, if one has: the program is to end by it, too.
    fn ended_by(&self) -> Option<i32> {
        None
    }

    /// Whether the lines are those of standard input, so that nobody else can read it.
    fn reads_standard_input(&self) -> bool {
        false
    }

    /// Whether the output could not be written, as nobody reads it any more or there is no room for it, or the input
    /// not be read: no line comes any more, though some may be left.
    fn is_lost(&self) -> bool;
}

/// Where command lines come from.
pub enum Lines {
    /// Standard input: a terminal, or a script.
    Stdin,
    /// Something with a name, by which a line that failed is told.
    Named {
        /// Such as the name of a file.
        name: String,
        /// One command a line.
        lines: Box<dyn Read>,
    },
}

/// What goes to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// The session, as a terminal shows it.
    Text,
    /// One line of JSON for each command.
    Json,
}

/// Whether a person sits at standard input and sees standard output.
#[must_use]
pub fn is_at_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Writes to standard output what a program is run for. Whoever reads no further has seen enough.
///
/// # Errors
///
/// If it cannot be written.
pub fn put(bytes: &[u8]) -> io::Result<()> {
    match io::stdout().write_all(bytes).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// The console for these lines and this output. None of them asks the terminal but [`open`]'s.
///
/// # Errors
///
/// If the terminal's mode cannot be set.
pub fn open_for(
    lines: Lines,
    output: Output,
    language: Language,
    interrupt: &Interrupt,
    history: Option<&Path>,
) -> io::Result<Box<dyn Console>> {
    let redact = language.redact;
    let watch = || Watch::start(interrupt.clone());
    match (lines, output) {
        (Lines::Stdin, Output::Text) => open(language, interrupt, history),
        (Lines::Stdin, Output::Json) => {
            let script = Script::new(io::stdin(), io::sink(), redact, Echo::Written);
            let script = script.named(Source::StandardInput).watched(watch()?);
            Ok(Box::new(Data::new(script, io::stdout())))
        }
        (Lines::Named { name, lines }, Output::Text) => {
            let script = Script::new(lines, io::stdout(), redact, Echo::Written);
            Ok(Box::new(script.named(Source::Named(name)).watched(watch()?)))
        }
        (Lines::Named { name, lines }, Output::Json) => {
            let script = Script::new(lines, io::sink(), redact, Echo::Written);
            Ok(Box::new(Data::new(script.named(Source::Named(name)).watched(watch()?), io::stdout())))
        }
    }
}

/// The console that fits standard input and output: a [`Terminal`] if both are one, which keeps a person's lines in
/// `history`, a [`Script`] otherwise.
///
/// # Errors
///
/// If the terminal's mode cannot be set.
pub fn open(
    language: Language,
    interrupt: &Interrupt,
    history: Option<&Path>,
) -> io::Result<Box<dyn Console>> {
    let echo = match (io::stdin().is_terminal(), io::stdout().is_terminal()) {
        (true, true) => return Ok(Box::new(Terminal::open(language, interrupt.clone(), history)?)),
        (true, false) => Echo::Typed,
        (false, _) => Echo::Written,
    };
    let script = Script::new(io::stdin().lock(), io::stdout(), language.redact, echo);
    let script = script.named(Source::StandardInput);
    Ok(Box::new(script.watched(Watch::start(interrupt.clone())?)))
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

/// What is said of a line with bytes that are no UTF-8.
const NOT_TEXT: &str = "This line is not UTF-8; it is left out\n";

/// Shows a line as others may see it: each character of a secret as `*`.
///
/// The result has as many characters as the line, and what is shown of its beginning does not change as it is typed, so
/// that a terminal can echo character by character.
pub type Redact = fn(&str) -> String;

/// What a console knows of the lines that are typed at it.
#[derive(Clone)]
pub struct Language {
    /// How others may see a line.
    pub redact: Redact,
    /// What arrow-up brings back.
    pub recall: Recall,
    /// Whether arrow-up may bring it back in later sessions.
    pub is_kept: IsKept,
    /// What Tab may put there.
    pub complete: Complete,
    /// What is still to be typed.
    pub hint: Hint,
}

/// What arrow-up brings back of a line: one that can be entered again, without its secrets.
pub type Recall = fn(&str) -> String;

/// Whether a line can go to a file: one that is understood, and has no secret in it.
pub type IsKept = fn(&str) -> bool;

/// The arguments that could follow what was typed, for a person to read; `None` if there are none.
pub type Hint = fn(&str) -> Option<String>;
