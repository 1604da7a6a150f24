//! A person, or a program that plays one, at a terminal.
//!
//! Programs wait for a prompt and split what stands between two of them, so that every prompt is written once
//! and printable input is echoed as it comes, without an escape sequence. Only a person presses an arrow, Tab
//! or Backspace: the first such key in a line hands that line over to the line editor, which repaints it in
//! place. Questions and hidden answers are never handed over.
//!
//! Who has pressed such a key once is a person for the rest of the session: lines are kept for later sessions, a pause
//! in typing shows what could follow, wide tables are set closer, and a command that takes its time says for whom it
//! waits.

mod editor;
mod entry;
mod face;
mod history;
mod keys;
mod secrets;
mod signals;

pub use history::history_file;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use self::editor::LineEditor;
use self::entry::{Echo, Entry};
use self::keys::{Key, Keys};
use super::fold::{cut, fit};
use super::tty::{Phase, Tty};
use super::{Console, Input, Language, NOT_TEXT, Redact};
use crate::interrupt::Interrupt;
use crate::protocol::Secret;

/// Standard input and output, when both are a terminal. Dropping it gives the terminal back as it was.
pub struct Terminal {
    tty: Arc<Tty>,
    keys: Keys,
    redact: Redact,
    editor: Option<LineEditor>,
    reader: Reader,
    /// What the row of the cursor says of a command that waits.
    status: String,
    ended: bool,
}

/// Who reads what is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// Perhaps a program, which splits it into words.
    Anybody,
    /// Somebody who has used the line editor.
    Person,
}

impl Terminal {
    /// Takes the terminal over. What was typed before is echoed by the kernel, what comes later is not, so that
    /// this is the first act of a program.
    ///
    /// Ctrl-C ends the program until the first prompt, and then raises `interrupt` while a command runs.
    ///
    /// # Errors
    ///
    /// When standard input or output is no terminal, or the process has no descriptor or thread left.
    pub fn open(language: Language, interrupt: Interrupt, history: Option<&Path>) -> io::Result<Self> {
        let tty = Arc::new(Tty::open()?);
        // Gives the terminal back if what follows fails.
        let keys = Keys::new(Arc::clone(&tty));
        let (redact, reader) = (language.redact, Reader::Anybody);
        let editor = LineEditor::new(language, history);
        let terminal = Self { tty, keys, redact, editor, reader, status: String::new(), ended: false };
        signals::watch(&terminal.tty, interrupt)?;
        Ok(terminal)
    }

    fn asking(&mut self, ask: impl FnOnce(&mut Self) -> Input<String>) -> Input<String> {
        if self.ended {
            return Input::Ended;
        }
        self.show_status(String::new());
        self.tty.enter(Phase::Asking);
        if self.tty.take_interrupt() {
            self.keys.clear();
        }
        let input = ask(self);
        self.ended = matches!(input, Input::Ended);
        self.tty.enter(Phase::Running);
        self.only_text(input)
    }

    /// Guessing would make one password of several.
    fn only_text(&mut self, input: Input<String>) -> Input<String> {
        match input {
            Input::Given(line) if line.contains(char::REPLACEMENT_CHARACTER) => {
                self.print(NOT_TEXT);
                Input::Interrupted
            }
            other => other,
        }
    }

    fn ask_line(&mut self, prompt: &str) -> Input<String> {
        let mut entry = Entry::new(Echo::Redacted(self.redact));
        self.tty.write(prompt);
        loop {
            let pause = (self.reader == Reader::Person).then_some(PAUSE);
            match self.type_on(prompt, &mut entry, pause) {
                Typed::Enter => return Input::Given(entry.into_text()),
                Typed::Interrupted => return Input::Interrupted,
                Typed::Ended => return Input::Ended,
                // Pasted rather than pressed.
                Typed::Other(TAB) if self.keys.hold_a_line() => entry.push(' '),
                Typed::Other(key) => {
                    if self.editor.is_none() {
                        self.rub_out(&mut entry, key);
                    } else if let Some(input) = self.edit(prompt, &entry, Some(key)) {
                        return input;
                    }
                }
                Typed::Paused => {
                    if let Some(input) = self.edit(prompt, &entry, None) {
                        return input;
                    }
                }
            }
        }
    }

    /// Hands the line over to the editor, if there is one.
    fn edit(&mut self, prompt: &str, entry: &Entry, key: Option<u8>) -> Option<Input<String>> {
        let editor = self.editor.as_mut()?;
        self.reader = Reader::Person;
        let mut keys = self.keys.take();
        if let Some(key) = key {
            keys.push_front(key);
        }
        let (input, unread) = editor.edit(prompt, entry, keys, &self.tty).ok()?;
        self.keys.put_back(unread);
        Some(if self.tty.is_lost() { Input::Ended } else { input })
    }

    /// Asks a question, without the editor.
    fn ask(&mut self, question: &str, echo: Echo) -> Input<String> {
        let mut entry = Entry::new(echo);
        self.tty.write(question);
        loop {
            match self.type_on(question, &mut entry, None) {
                Typed::Enter => return Input::Given(entry.into_text()),
                Typed::Interrupted => return Input::Interrupted,
                Typed::Ended => return Input::Ended,
                Typed::Other(key) => self.rub_out(&mut entry, key),
                Typed::Paused => {}
            }
        }
    }

    /// Takes characters until a key that is more than one, or until nothing comes for so long behind them.
    fn type_on(&mut self, prompt: &str, entry: &mut Entry, pause: Option<Duration>) -> Typed {
        loop {
            if self.keys.is_empty() {
                self.tty.write(&entry.unshown());
            }
            if !entry.is_empty() && pause.is_some_and(|pause| self.keys.pause(pause)) {
                return Typed::Paused;
            }
            match self.keys.next() {
                Key::Text(character) => entry.push(character),
                Key::Control(CTRL_Z) => self.suspend(prompt, entry),
                key @ (Key::Control(_) | Key::Enter | Key::Closed) => {
                    self.tty.write(&entry.unshown());
                    return self.typed(key, entry);
                }
            }
        }
    }

    fn typed(&mut self, key: Key, entry: &Entry) -> Typed {
        let (line_end, typed) = match key {
            Key::Enter => ("\n", Typed::Enter),
            Key::Control(CTRL_C) => ("^C\n", Typed::Interrupted),
            Key::Control(CTRL_D) if entry.is_empty() => ("\n", Typed::Ended),
            Key::Control(other) => ("", Typed::Other(other)),
            Key::Text(_) | Key::Closed => ("\n", Typed::Ended),
        };
        self.tty.write(line_end);
        if self.tty.is_lost() { Typed::Ended } else { typed }
    }

    fn rub_out(&mut self, entry: &mut Entry, key: u8) {
        match key {
            BACKSPACE | DELETE => self.tty.write(&entry.erase()),
            ESCAPE => self.keys.skip_sequence(),
            CTRL_U => {
                while !entry.is_empty() {
                    self.tty.write(&entry.erase());
                }
            }
            _ => {}
        }
    }

    /// Replaces what the row of the cursor says while a command waits.
    fn show_status(&mut self, status: String) {
        if status != self.status {
            self.tty.write(&format!("\r\x1b[K{status}"));
            self.status = status;
        }
    }

    fn suspend(&mut self, prompt: &str, entry: &mut Entry) {
        self.tty.write(&entry.unshown());
        self.tty.suspend();
        entry.forget_shown();
        self.tty.write(prompt);
    }
}

impl Console for Terminal {
    fn line(&mut self, prompt: &str) -> Input<String> {
        let input = self.asking(|terminal| terminal.ask_line(prompt));
        if let (Input::Given(line), Some(editor)) = (&input, &mut self.editor) {
            editor.remember(line);
        }
        input
    }

    fn answer(&mut self, question: &str) -> Input<String> {
        // What answers a question may have been meant as a command.
        self.asking(|terminal| terminal.ask(question, Echo::Redacted(terminal.redact)))
    }

    fn secret(&mut self, prompt: &str) -> Input<Secret> {
        match self.asking(|terminal| terminal.ask(prompt, Echo::Nothing)) {
            Input::Given(secret) => Input::Given(Secret::new(secret)),
            Input::Interrupted => Input::Interrupted,
            Input::Ended => Input::Ended,
        }
    }

    fn print(&mut self, text: &str) {
        self.show_status(String::new());
        match self.reader {
            Reader::Anybody => self.tty.write(text),
            Reader::Person => self.tty.write(&fit(text, self.tty.columns())),
        }
    }

    /// Only a person presses Enter to hear more: what programs type ahead is left alone.
    fn still_waiting(&mut self, waited: Duration, pending: &mut dyn FnMut() -> Vec<String>) {
        if self.reader == Reader::Anybody || waited < PATIENCE {
            return;
        }
        let names = pending();
        if names.is_empty() {
            return;
        }
        let text = format!("Waiting {} s for {}", waited.as_secs(), names.join(", "));
        if self.keys.take_enter() {
            self.print(&format!("{text}; Ctrl-C ends it\n"));
        } else {
            self.show_status(cut(&text, self.tty.columns().saturating_sub(1)));
        }
    }

    fn reads_standard_input(&self) -> bool {
        true
    }

    fn is_lost(&self) -> bool {
        self.tty.is_lost()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tty.close();
    }
}

/// What ended a stretch of plain typing.
enum Typed {
    Enter,
    Interrupted,
    Ended,
    /// A control byte that means something to an editor only.
    Other(u8),
    /// Nothing, but a person may look for what could follow.
    Paused,
}

/// In typing, before what could follow is shown: longer than between two bytes of a key.
const PAUSE: Duration = Duration::from_millis(60);

/// How long a command may take until a person is told for whom it waits.
const PATIENCE: Duration = Duration::from_secs(1);

const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
const BACKSPACE: u8 = 8;
const TAB: u8 = 9;
const CTRL_U: u8 = 21;
const CTRL_Z: u8 = 26;
const ESCAPE: u8 = 27;
const DELETE: u8 = 127;
