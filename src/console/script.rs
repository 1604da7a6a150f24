//! Standard input that is no terminal: one command a line, and the next line answers a question.

use std::io::{BufRead, Write};

use super::{Console, Input, Mask};
use crate::protocol::Secret;

/// Plays lines, and writes the session as a terminal would have shown it, with secrets masked.
pub struct Script<R, W> {
    input: R,
    output: W,
    mask: Mask,
    echo: Echo,
    /// Nobody reads the output any more.
    closed: bool,
}

/// Who shows what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// The console writes it behind the prompt.
    Written,
    /// The terminal that it was typed at has shown it.
    Typed,
}

impl<R: BufRead, W: Write> Script<R, W> {
    /// Plays `input`.
    pub fn new(input: R, output: W, mask: Mask, echo: Echo) -> Self {
        Self { input, output, mask, echo, closed: false }
    }

    /// One line without its end; `None` at the end of input, or if reading fails.
    fn read(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        if self.closed || self.input.read_until(b'\n', &mut bytes).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&bytes);
        Some(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Shows a prompt, reads a line that `keep` keeps, and shows it.
    fn ask(&mut self, prompt: &str, keep: fn(&str) -> bool, mask: Mask) -> Input<String> {
        self.print(prompt);
        loop {
            let Some(line) = self.read() else {
                self.print("\n");
                return Input::Ended;
            };
            if keep(&line) {
                if self.echo == Echo::Written {
                    self.print(&format!("{}\n", mask(&line)));
                }
                return Input::Given(line);
            }
        }
    }
}

impl<R: BufRead, W: Write> Console for Script<R, W> {
    fn line(&mut self, prompt: &str) -> Input<String> {
        self.ask(prompt, |line| !line.trim_start().starts_with('#'), self.mask)
    }

    fn answer(&mut self, question: &str) -> Input<String> {
        self.ask(question, |_| true, str::to_owned)
    }

    fn secret(&mut self, prompt: &str) -> Input<Secret> {
        match self.ask(prompt, |_| true, |_| String::new()) {
            Input::Given(line) => Input::Given(Secret::new(line)),
            Input::Interrupted => Input::Interrupted,
            Input::Ended => Input::Ended,
        }
    }

    fn print(&mut self, text: &str) {
        let written = self.output.write_all(text.as_bytes()).and_then(|()| self.output.flush());
        self.closed |= written.is_err();
    }
}
