//! Commands that are not typed at a terminal: one per line, and the next line answers a question.

use std::io::{self, BufRead, BufReader, Write};
use std::{mem, str};

use zeroize::Zeroizing;

use super::diagnostics::report;
use super::no_echo::NoEcho;
use super::signals::SignalWatch;
use super::{Console, Input, NOT_TEXT, PROMPTED, Redact};
use crate::foreign::printed;
use crate::protocol::Secret;

/// Plays lines, and prints the session as a terminal would show it, with secrets redacted.
pub struct Script<R, W> {
    input: BufReader<R>,
    output: W,
    redact: Redact,
    echoed_by: EchoedBy,
    /// A `\n` that comes next belongs to the `\r` before it.
    after_return: bool,
    lost: bool,
    origin: Option<Origin>,
    /// How many lines were read.
    count: usize,
    /// The number of the line with the last command.
    command: usize,
    signals: SignalWatch,
    /// The last command has [`PROMPTED`], and has not asked for the password so far.
    owes_question: bool,
}

/// Where the lines come from, for reports of one that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Standard input.
    StandardInput,
    /// Something with this name, such as a file.
    Named(String),
}

/// Who shows a line after the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EchoedBy {
    /// This console prints it.
    Console,
    /// The terminal has shown it while it was typed.
    Terminal,
}

impl<R: io::Read, W: Write> Script<R, W> {
    /// Plays the lines of `input`.
    pub fn new(input: R, output: W, redact: Redact, echoed_by: EchoedBy) -> Self {
        let input = BufReader::new(input);
        let signals = SignalWatch::default();
        let (after_return, lost, origin) = (false, false, None);
        Self {
            input,
            output,
            redact,
            echoed_by,
            after_return,
            lost,
            origin,
            count: 0,
            command: 0,
            signals,
            owes_question: false,
        }
    }

    /// The same, ended by signals.
    #[must_use]
    pub(super) fn watched(self, signals: SignalWatch) -> Self {
        Self { signals, ..self }
    }

    /// The same, with a name for its lines.
    #[must_use]
    pub fn named(self, origin: Origin) -> Self {
        Self { origin: Some(origin), ..self }
    }

    /// Reads a line without its end, which is `\n`, `\r` or `\r\n`.
    fn read(&mut self) -> Read {
        // It may be a password, and a vector that grows leaves copies in memory.
        let mut line = Zeroizing::new(Vec::with_capacity(512));
        let mut any = false;
        while let Some(&first) = self.buffered().first() {
            if mem::take(&mut self.after_return) && first == b'\n' {
                self.input.consume(1);
                continue;
            }
            any = true;
            let buffered = self.input.buffer();
            let end = buffered.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            line.extend_from_slice(buffered.get(..end.unwrap_or(buffered.len())).unwrap_or_default());
            self.after_return = end.is_some_and(|end| buffered.get(end) == Some(&b'\r'));
            let taken = end.map_or(buffered.len(), |end| end.saturating_add(1));
            self.input.consume(taken);
            if end.is_some() {
                return text(&line);
            }
        }
        if any && !self.lost && self.signals.caught().is_none() { text(&line) } else { Read::End }
    }

    /// The input that has arrived; waits for some if there is none. It is empty at the end of input, after a signal, or if
    /// input or output fails.
    fn buffered(&mut self) -> &[u8] {
        if self.input.buffer().is_empty() && !self.lost {
            // Whoever sends the next line may wait for what was printed.
            self.lost = self.output.flush().is_err();
            let comes = self.origin != Some(Origin::StandardInput) || self.signals.await_input();
            // Only once: a terminal reports its end of input (Ctrl-D) once, and reads on after it.
            self.lost |= comes && self.input.fill_buf().is_err();
        }
        if self.lost { &[] } else { self.input.buffer() }
    }

    fn read_counted(&mut self) -> Read {
        self.count = self.count.saturating_add(1);
        self.read()
    }

    /// Prints a prompt, reads lines until `keep` accepts one, and prints that one redacted.
    fn ask(&mut self, prompt: &str, mut keep: impl FnMut(&str) -> bool, redact: Redact) -> Input<String> {
        if self.signals.caught().is_some() {
            return Input::Ended;
        }
        // Not flushed: that happens before the line is waited for. If the line has arrived already, one write shows both.
        self.lost |= self.output.write_all(prompt.as_bytes()).is_err();
        loop {
            let line = match self.read_counted() {
                Read::Line(line) => line,
                Read::NotText => {
                    self.print(&format!("\n{NOT_TEXT}"));
                    return Input::Interrupted;
                }
                Read::End => {
                    self.print("\n");
                    return Input::Ended;
                }
            };
            if keep(&line) {
                if self.echoed_by == EchoedBy::Console {
                    self.print(&format!("{}\n", redact(&line)));
                }
                // A command must not run if nobody can see what it does.
                return if self.lost { Input::Ended } else { Input::Given(line) };
            }
        }
    }
}

enum Read {
    Line(String),
    /// It is not decoded by guessing: that would make the same password of different ones.
    NotText,
    End,
}

fn text(line: &[u8]) -> Read {
    match str::from_utf8(line) {
        Ok(text) => Read::Line(text.trim_start_matches('\u{feff}').to_owned()),
        Err(_) => Read::NotText,
    }
}

impl<R: io::Read, W: Write> Console for Script<R, W> {
    fn line(&mut self, prompt: &str) -> Input<String> {
        self.signals.set_running(false);
        // A command that ends before it asks, for instance because of a wrong argument, leaves its password behind. Taken
        // for a command, it would be shown.
        let mut is_password = mem::take(&mut self.owes_question) && self.echoed_by == EchoedBy::Console;
        let mut skipped = None;
        let keep = |line: &str| {
            if mem::take(&mut is_password) {
                // Where a password is chosen, it stands there twice.
                skipped = Some(Zeroizing::new(line.to_owned()));
                return false;
            }
            let is_again = skipped.take().is_some_and(|skipped: Zeroizing<String>| *skipped == line);
            !is_again && !line.trim_start().starts_with('#')
        };
        let input = self.ask(prompt, keep, self.redact);
        self.command = self.count;
        if let Input::Given(line) = &input {
            self.owes_question = line.split_ascii_whitespace().any(|word| word == PROMPTED);
        }
        input
    }

    fn answer(&mut self, question: &str) -> Input<String> {
        // Redacted: it may have been meant as a command, with a password in it.
        self.ask(question, |_| true, self.redact)
    }

    fn secret(&mut self, prompt: &str) -> Input<Secret> {
        self.owes_question = false;
        let hidden = (self.echoed_by == EchoedBy::Terminal).then(NoEcho::on_stdin);
        let input = self.ask(prompt, |_| true, |_| String::new());
        if hidden.is_some() {
            // The Enter after the password was not echoed, either.
            self.print("\n");
        }
        match input {
            Input::Given(line) => Input::Given(Secret::new(line)),
            Input::Interrupted => Input::Interrupted,
            Input::Ended => Input::Ended,
        }
    }

    fn print(&mut self, text: &str) {
        let written = self.output.write_all(printed(text).as_bytes()).and_then(|()| self.output.flush());
        self.lost |= written.is_err();
    }

    fn blame(&mut self, what: &str) {
        let name = match (&self.origin, self.echoed_by) {
            (Some(Origin::Named(name)), _) => name,
            (Some(Origin::StandardInput), EchoedBy::Console) => "stdin",
            // Whoever types sees what fails.
            (Some(Origin::StandardInput), EchoedBy::Terminal) | (None, _) => return,
        };
        report(&format!("{name}:{}: {what}", self.command));
    }

    fn commence(&mut self) {
        self.signals.set_running(true);
    }

    fn ended_by(&self) -> Option<i32> {
        self.signals.caught()
    }

    fn reads_standard_input(&self) -> bool {
        self.origin == Some(Origin::StandardInput)
    }

    fn is_lost(&self) -> bool {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::{Console, EchoedBy, Input, Script};

    /// Stars for digits.
    fn redact(line: &str) -> String {
        line.chars().map(|letter| if letter.is_ascii_digit() { '*' } else { letter }).collect()
    }

    fn play<T>(input: &[u8], play: impl FnOnce(&mut dyn Console) -> T) -> (T, String) {
        let mut output = Vec::new();
        let played = play(&mut Script::new(Cursor::new(input), &mut output, redact, EchoedBy::Console));
        (played, String::from_utf8(output).unwrap())
    }

    fn given<T>(input: Input<T>) -> Option<T> {
        if let Input::Given(given) = input { Some(given) } else { None }
    }

    #[test]
    fn every_line_end_ends_one_line() {
        let (lines, output) = play(b"\xef\xbb\xbfa\rb\nc\r\n\nd", |console| {
            std::iter::from_fn(|| given(console.line(">"))).collect::<Vec<_>>()
        });
        assert_eq!(lines, ["a", "b", "c", "", "d"]);
        assert_eq!(output, ">a\n>b\n>c\n>\n>d\n>\n");
    }

    #[test]
    fn comments_are_ignored_but_not_as_answers() {
        let (lines, output) = play(b"# no\n  # no\nyes\n#1\n", |console| {
            (given(console.line(">")), given(console.answer("sure?")))
        });
        assert_eq!(lines, (Some("yes".to_owned()), Some("#1".to_owned())));
        assert_eq!(output, ">yes\nsure?#*\n");
    }

    #[test]
    fn secrets_are_not_echoed_and_answers_are_masked() {
        let (secret, output) = play(b"hush1\nlogin 1234\n", |console| {
            let secret = given(console.secret("Enter password: "));
            console.answer("(y/n)?");
            secret.map(|secret| secret.expose().to_owned())
        });
        assert_eq!(secret.as_deref(), Some("hush1"));
        assert_eq!(output, "Enter password: \n(y/n)?login ****\n");
    }

    #[test]
    fn a_line_that_is_not_text_is_ignored_with_a_message() {
        let (kinds, output) = play(b"p\xe4ss\nnext\n", |console| {
            [console.line(">"), console.line(">")].map(|line| matches!(line, Input::Given(_)))
        });
        assert_eq!(kinds, [false, true]);
        assert_eq!(output, ">\nLine ignored: not valid UTF-8\n>next\n");
    }
}
