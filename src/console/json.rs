//! The console for programs that read JSON: one line per command, made from what the command prints.

use std::io::{self, Read, Write};

use super::script::Script;
use super::{Console, Input, NOT_TEXT};
use crate::foreign::escaped;
use crate::protocol::Secret;

/// Plays a [`Script`] that prints nothing.
pub struct JsonConsole<R, W> {
    script: Script<R, io::Sink>,
    output: W,
    printed: String,
    lost: bool,
}

impl<R: Read, W: Write> JsonConsole<R, W> {
    /// Writes the lines of JSON to `output`.
    pub fn new(script: Script<R, io::Sink>, output: W) -> Self {
        Self { script, output, printed: String::new(), lost: false }
    }

    /// The script prints this message to nowhere: it belongs to what the command prints.
    fn noted<T>(&mut self, input: Input<T>) -> Input<T> {
        if matches!(input, Input::Interrupted) {
            self.printed.push_str(NOT_TEXT);
        }
        input
    }
}

impl<R: Read, W: Write> Console for JsonConsole<R, W> {
    fn line(&mut self, prompt: &str) -> Input<String> {
        let input = self.script.line(prompt);
        self.noted(input)
    }

    fn answer(&mut self, question: &str) -> Input<String> {
        let input = self.script.answer(question);
        self.noted(input)
    }

    fn secret(&mut self, prompt: &str) -> Input<Secret> {
        let input = self.script.secret(prompt);
        self.noted(input)
    }

    fn print(&mut self, text: &str) {
        self.printed.push_str(text);
    }

    fn record(&mut self, make: &mut dyn FnMut(&str) -> String) {
        let line = make(&std::mem::take(&mut self.printed));
        let written = self.output.write_all(escaped(&line).as_bytes()).and_then(|()| self.output.flush());
        self.lost |= written.is_err();
    }

    fn commence(&mut self) {
        self.script.commence();
    }

    fn ended_by(&self) -> Option<i32> {
        self.script.ended_by()
    }

    fn blame(&mut self, what: &str) {
        self.script.blame(what);
    }

    fn reads_standard_input(&self) -> bool {
        self.script.reads_standard_input()
    }

    fn is_lost(&self) -> bool {
        self.lost || self.script.is_lost()
    }
}
