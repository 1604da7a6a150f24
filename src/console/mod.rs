//! Where lines come from and text goes: a terminal, a script, a test.
//!
//! Only this folder and the programs print. Printing never fails for the caller: once output cannot be written, the
//! console returns no more lines, and the session ends as at the end of input.

mod complete;
mod diagnostics;
mod fold;
mod json;
mod no_echo;
mod pump;
mod script;
mod signals;
mod terminal;
mod tty;
mod utf8;

use std::fs::{self, File};
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;
pub use complete::{Complete, Completion};
pub use diagnostics::{exit, report, start_log, warn};
pub use fold::fold;
pub use json::JsonConsole;
pub use script::{EchoedBy, Origin, Script};
use signals::SignalWatch;
pub use signals::end_by;
pub use terminal::{Terminal, history_file};

use crate::interrupt::Interrupt;
use crate::protocol::Secret;

/// What commands read from and print to.
pub trait Console {
    /// Prints `prompt`, once and with nothing after it, and reads one command line without its line end.
    fn line(&mut self, prompt: &str) -> Input<String>;

    /// Prints `question` and reads the answer, which is echoed.
    fn answer(&mut self, question: &str) -> Input<String>;

    /// Prints `prompt` and reads an answer that is not echoed. Echo is off before the prompt appears: a program may answer
    /// as soon as it sees the prompt.
    fn secret(&mut self, prompt: &str) -> Input<Secret>;

    /// Writes some of the session's text. It need not be whole lines.
    fn print(&mut self, text: &str);

    /// Ends a command in JSON mode: `make` turns the text printed so far into one JSON line. Text consoles do nothing.
    fn record(&mut self, _make: &mut dyn FnMut(&str) -> String) {}

    /// Called while a command waits. `waited` is the time so far; `pending` names the servers that have not answered.
    fn still_waiting(&mut self, _waited: Duration, _pending: &mut dyn FnMut() -> Vec<String>) {}

    /// Reports on standard error what became of a command, with its file and line number, if the lines come from a file.
    fn blame(&mut self, _what: &str) {}

    /// Called before a command runs. Until the next line is read, a signal lets the command end and print what it has
    /// done, and ends the program then. The command's questions get no more answers.
    fn commence(&mut self) {}

    /// The signal that ended the session. The program then ends by it, too.
    fn ended_by(&self) -> Option<i32> {
        None
    }

    /// Whether the lines come from standard input, which then nothing else may read.
    fn reads_standard_input(&self) -> bool {
        false
    }

    /// True once output cannot be written or input cannot be read. `line` then returns `Ended`, even if input remains.
    fn is_lost(&self) -> bool;
}

/// Asks for a password until the answer is not empty. No user has an empty one, and sent to the HSMs, an Enter by mistake
/// would count as a wrong password on each of them.
pub fn ask_password(console: &mut dyn Console, prompt: &str) -> Input<Secret> {
    loop {
        match console.secret(prompt) {
            Input::Given(secret) if secret.expose().is_empty() => {}
            input => return input,
        }
    }
}

/// Where command lines come from.
pub enum Lines {
    /// Standard input: a terminal, or a script.
    Stdin,
    /// Something with a name, for reports of lines that failed.
    #[expect(missing_docs, reason = "the names say it")]
    Named { name: String, lines: Box<dyn Read> },
}

impl Lines {
    /// Those of a file, by its path.
    ///
    /// # Errors
    ///
    /// If it cannot be opened. A folder can, and fails when it is read.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        if fs::metadata(path)?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(Self::Named { name: path.display().to_string(), lines: Box::new(File::open(path)?) })
    }
}

/// What goes to standard output: the session's text, or one line of JSON per command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "clap would show it in --help")]
pub enum Output {
    Text,
    Json,
}

/// Whether both standard input and standard output are terminals.
#[must_use]
pub fn is_at_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Writes a program's whole output to standard output. A reader that closes the pipe has seen enough: that is no error.
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

/// The console for these lines and this output: [`open`]'s for a text session on standard input, otherwise a script's.
///
/// # Errors
///
/// If the terminal's modes cannot be set, or signals not be caught.
pub fn open_for(
    lines: Lines,
    output: Output,
    language: Language,
    interrupt: &Interrupt,
    history: Option<&Path>,
) -> io::Result<Box<dyn Console>> {
    let redact = language.redact;
    let watch = || SignalWatch::start(interrupt.clone());
    match (lines, output) {
        (Lines::Stdin, Output::Text) => open(language, interrupt, history),
        (Lines::Stdin, Output::Json) => {
            let script = Script::new(io::stdin(), io::sink(), redact, EchoedBy::Console);
            let script = script.named(Origin::StandardInput).watched(watch()?);
            Ok(Box::new(JsonConsole::new(script, io::stdout())))
        }
        (Lines::Named { name, lines }, Output::Text) => {
            let script = Script::new(lines, io::stdout(), redact, EchoedBy::Console);
            Ok(Box::new(script.named(Origin::Named(name)).watched(watch()?)))
        }
        (Lines::Named { name, lines }, Output::Json) => {
            let script = Script::new(lines, io::sink(), redact, EchoedBy::Console);
            Ok(Box::new(JsonConsole::new(script.named(Origin::Named(name)).watched(watch()?), io::stdout())))
        }
    }
}

/// The console for standard input and output: a [`Terminal`] if both are terminals, which saves a person's lines in
/// `history`; otherwise a [`Script`].
///
/// # Errors
///
/// If the terminal's modes cannot be set, or signals not be caught.
pub fn open(
    language: Language,
    interrupt: &Interrupt,
    history: Option<&Path>,
) -> io::Result<Box<dyn Console>> {
    let echo = match (io::stdin().is_terminal(), io::stdout().is_terminal()) {
        (true, true) => return Ok(Box::new(Terminal::open(language, interrupt.clone(), history)?)),
        (true, false) => EchoedBy::Terminal,
        (false, _) => EchoedBy::Console,
    };
    let script = Script::new(io::stdin().lock(), io::stdout(), language.redact, echo);
    let script = script.named(Origin::StandardInput);
    Ok(Box::new(script.watched(SignalWatch::start(interrupt.clone())?)))
}

/// What was read. In each case the cursor is at the start of a line again.
pub enum Input<T> {
    /// A whole line.
    Given(T),
    /// Ctrl-C, or a line that is not text. It is dropped, and the session goes on.
    Interrupted,
    /// End of input. No line will follow.
    Ended,
}

/// Printed for a line that is not UTF-8.
const NOT_TEXT: &str = "Line ignored: not valid UTF-8\n";

/// Replaces each character of a secret in a line by `*`.
///
/// The result has as many characters as the line, and what is shown of its beginning does not change as it is typed, so
/// that a terminal can echo character by character.
pub type Redact = fn(&str) -> String;

/// The word in a line by which its command asks for a password: in a script it is the next line.
pub const PROMPTED: &str = "-hpswd";

/// What a console knows about the lines of its tool.
#[derive(Clone)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Language {
    pub redact: Redact,
    pub recall: Recall,
    pub is_kept: IsKept,
    pub complete: Complete,
    pub hint: Hint,
}

/// What arrow-up brings back for a line: one that can be entered again, without the secrets.
pub type Recall = fn(&str) -> String;

/// Whether a line may go to the history file: it must be a valid command without a secret.
pub type IsKept = fn(&str) -> bool;

/// The arguments that may follow what was typed; `None` if there are none.
pub type Hint = fn(&str) -> Option<String>;
