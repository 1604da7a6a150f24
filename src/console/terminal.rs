//! A person at a terminal, or a program that drives one.
//!
//! A program such as expect waits for a prompt and splits the text between two prompts. So every prompt is written once,
//! and printable input is echoed as it arrives, without an escape sequence. A line editor cannot do that: rustyline and
//! reedline repaint the prompt at every `readline`, and such programs break (measured with expect and pexpect). Hence the
//! plain typing here and in `tty` is our own.
//!
//! Only a person presses an arrow, Tab or Backspace. The first such key in a line hands that line over to rustyline, which
//! repaints it in place. Questions and hidden answers are never handed over.
//!
//! Whoever has pressed such a key is a person for the rest of the session: lines are saved for later sessions, a pause in
//! typing shows a hint, wide tables are narrowed, and a slow command shows which servers it waits for.

mod editor;
mod face;
mod history;
mod keyboard;
mod secrets;
mod signals;
mod typed_line;

pub use history::history_file;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use self::editor::LineEditor;
use self::keyboard::{Keyboard, Keystroke};
use self::typed_line::{Echo, TypedLine};
use super::fold::{cut, fit};
use super::tty::{Phase, Tty};
use super::{Console, Input, Language, NOT_TEXT, Redact};
use crate::foreign::printed;
use crate::interrupt::Interrupt;
use crate::protocol::Secret;

/// Standard input and output, when both are a terminal. Dropping it gives the terminal back with the modes it had.
pub struct Terminal {
    tty: Arc<Tty>,
    keyboard: Keyboard,
    redact: Redact,
    editor: Option<LineEditor>,
    reader: Reader,
    /// What the cursor's row shows about a command that waits.
    status: String,
    ended: bool,
}

/// Who reads the output.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// Possibly a program, which takes every byte seriously.
    Anybody,
    /// Somebody who has used the line editor.
    Person,
}

impl Terminal {
    /// Takes over the terminal. The kernel has echoed what was typed before, even a password, so a program does this
    /// first.
    ///
    /// Until the first prompt Ctrl-C ends the program; afterwards it raises `interrupt` while a command runs.
    ///
    /// # Errors
    ///
    /// If standard input or output is not a terminal, or the process has no descriptor or thread left.
    pub fn open(language: Language, interrupt: Interrupt, history: Option<&Path>) -> io::Result<Self> {
        let tty = Arc::new(Tty::open()?);
        let keyboard = Keyboard::new(Arc::clone(&tty));
        let (redact, reader) = (language.redact, Reader::Anybody);
        let editor = LineEditor::new(language, history);
        let terminal = Self { tty, keyboard, redact, editor, reader, status: String::new(), ended: false };
        // After `terminal` is made: if this fails, dropping it gives the terminal back.
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
            self.keyboard.clear();
        }
        let input = ask(self);
        self.ended = matches!(input, Input::Ended);
        self.tty.enter(Phase::Running);
        self.only_text(input)
    }

    /// Refuses a line with bytes that are not UTF-8: decoded by guessing, different passwords would become the same one.
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
        let mut line = TypedLine::new(Echo::Redacted(self.redact));
        self.tty.write(prompt);
        loop {
            let pause = (self.reader == Reader::Person).then_some(PAUSE);
            match self.type_on(prompt, &mut line, pause) {
                TypingEnd::Enter => return Input::Given(line.into_text()),
                TypingEnd::Interrupt => return Input::Interrupted,
                TypingEnd::EndOfInput => return Input::Ended,
                // With the whole line here already it was pasted, not pressed.
                TypingEnd::Control(TAB) if self.keyboard.holds_a_line() => line.push(' '),
                TypingEnd::Control(key) => {
                    if self.editor.is_none() {
                        self.rub_out(&mut line, key);
                    } else if let Some(input) = self.edit(prompt, &line, Some(key)) {
                        return input;
                    }
                }
                TypingEnd::Pause => {
                    if let Some(input) = self.edit(prompt, &line, None) {
                        return input;
                    }
                }
            }
        }
    }

    /// Hands the line over to the editor, if there is one.
    fn edit(&mut self, prompt: &str, line: &TypedLine, key: Option<u8>) -> Option<Input<String>> {
        let editor = self.editor.as_mut()?;
        self.reader = Reader::Person;
        let mut keys = self.keyboard.take();
        if let Some(key) = key {
            keys.push_front(key);
        }
        let (input, unread) = editor.edit(prompt, line, keys, &self.tty).ok()?;
        self.keyboard.put_back(unread);
        Some(if self.tty.is_lost() { Input::Ended } else { input })
    }

    /// Asks a question, without the editor.
    fn ask(&mut self, question: &str, echo: Echo) -> Input<String> {
        let mut line = TypedLine::new(echo);
        self.tty.write(question);
        loop {
            match self.type_on(question, &mut line, None) {
                TypingEnd::Enter => return Input::Given(line.into_text()),
                TypingEnd::Interrupt => return Input::Interrupted,
                TypingEnd::EndOfInput => return Input::Ended,
                TypingEnd::Control(key) => self.rub_out(&mut line, key),
                TypingEnd::Pause => {}
            }
        }
    }

    /// Adds typed characters to the line, up to another key or a pause in typing.
    fn type_on(&mut self, prompt: &str, line: &mut TypedLine, pause: Option<Duration>) -> TypingEnd {
        loop {
            // What arrived at once is echoed at once.
            if self.keyboard.is_empty() {
                self.tty.write(&line.unshown());
            }
            if !line.is_empty() && pause.is_some_and(|pause| self.keyboard.pauses(pause)) {
                return TypingEnd::Pause;
            }
            match self.keyboard.next() {
                Keystroke::Text(character) => line.push(character),
                Keystroke::Control(CTRL_Z) => self.suspend(prompt, line),
                key @ (Keystroke::Control(_) | Keystroke::Enter | Keystroke::HangUp) => {
                    self.tty.write(&line.unshown());
                    return self.typing_end(key, line);
                }
            }
        }
    }

    fn typing_end(&mut self, key: Keystroke, line: &TypedLine) -> TypingEnd {
        let (line_end, end) = match key {
            Keystroke::Enter => ("\n", TypingEnd::Enter),
            Keystroke::Control(CTRL_C) => ("^C\n", TypingEnd::Interrupt),
            Keystroke::Control(CTRL_D) if line.is_empty() => ("\n", TypingEnd::EndOfInput),
            Keystroke::Control(other) => ("", TypingEnd::Control(other)),
            Keystroke::Text(_) | Keystroke::HangUp => ("\n", TypingEnd::EndOfInput),
        };
        self.tty.write(line_end);
        if self.tty.is_lost() { TypingEnd::EndOfInput } else { end }
    }

    /// The editing keys that work without an editor.
    fn rub_out(&mut self, line: &mut TypedLine, key: u8) {
        match key {
            BACKSPACE | DELETE => self.tty.write(&line.erase()),
            ESCAPE => self.keyboard.skip_sequence(),
            CTRL_U => {
                while !line.is_empty() {
                    self.tty.write(&line.erase());
                }
            }
            _ => {}
        }
    }

    /// Replaces what the cursor's row shows while a command waits.
    fn show_status(&mut self, status: String) {
        if status != self.status {
            self.tty.write(&format!("\r\x1b[K{status}"));
            self.status = status;
        }
    }

    fn suspend(&mut self, prompt: &str, line: &mut TypedLine) {
        self.tty.write(&line.unshown());
        self.tty.suspend();
        // The shell has written in between: prompt and line are shown again.
        line.forget_shown();
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
        // Redacted: it may have been meant as a command, with a password in it.
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
        let text = printed(text);
        match self.reader {
            Reader::Anybody => self.tty.write(&text),
            Reader::Person => self.tty.write(&fit(&text, self.tty.columns())),
        }
    }

    /// For a person only: a program may have typed ahead, and Enter would be taken from it.
    fn still_waiting(&mut self, waited: Duration, pending: &mut dyn FnMut() -> Vec<String>) {
        if self.reader == Reader::Anybody || waited < PATIENCE {
            return;
        }
        let names = pending();
        if names.is_empty() {
            return;
        }
        let text = format!("Waiting {} s for {}", waited.as_secs(), names.join(", "));
        if self.keyboard.take_enter() {
            self.print(&format!("{text}; press Ctrl-C to interrupt\n"));
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

/// What stopped the plain typing.
enum TypingEnd {
    Enter,
    Interrupt,
    EndOfInput,
    /// A control byte that only an editor understands.
    Control(u8),
    /// A pause, in which a person may want a hint.
    Pause,
}

/// The pause in typing after which the hint is shown. Longer than between the bytes of one key.
const PAUSE: Duration = Duration::from_millis(60);

/// How long a command may take before a person sees which servers it waits for.
const PATIENCE: Duration = Duration::from_secs(1);

const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
const BACKSPACE: u8 = 8;
const TAB: u8 = 9;
const CTRL_U: u8 = 21;
const CTRL_Z: u8 = 26;
const ESCAPE: u8 = 27;
const DELETE: u8 = 127;
