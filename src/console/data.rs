//! The console of a program that reads data: what commands print is kept, and each leaves one line instead.

use std::io::{self, BufRead, Write};

use super::script::{Echo, Script};
use super::{Console, Input, Mask};
use crate::protocol::Secret;

/// Plays lines as a [`Script`] does, and shows none of it.
pub struct Data<R, W> {
    script: Script<R, io::Sink>,
    output: W,
    printed: String,
    lost: bool,
}

impl<R: BufRead, W: Write> Data<R, W> {
    /// Plays `input`; `name` is what its lines are called.
    pub fn new(input: R, output: W, mask: Mask, name: Option<String>) -> Self {
        let script = Script::new(input, io::sink(), mask, Echo::Written).named(name);
        Self { script, output, printed: String::new(), lost: false }
    }
}

impl<R: BufRead, W: Write> Console for Data<R, W> {
    fn line(&mut self, prompt: &str) -> Input<String> {
        self.script.line(prompt)
    }

    fn answer(&mut self, question: &str) -> Input<String> {
        self.script.answer(question)
    }

    fn secret(&mut self, prompt: &str) -> Input<Secret> {
        self.script.secret(prompt)
    }

    fn print(&mut self, text: &str) {
        self.printed.push_str(text);
    }

    fn record(&mut self, make: &mut dyn FnMut(&str) -> String) {
        let line = make(&std::mem::take(&mut self.printed));
        let written = self.output.write_all(line.as_bytes()).and_then(|()| self.output.flush());
        self.lost |= written.is_err();
    }

    fn blame(&mut self, what: &str) {
        self.script.blame(what);
    }

    fn is_lost(&self) -> bool {
        self.lost || self.script.is_lost()
    }
}
