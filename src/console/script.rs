//! Standard input that is no terminal: one command a line, and the next line answers a question.

use std::io::{self, BufRead, BufReader, Write};
use std::{mem, str};

use zeroize::Zeroizing;

use super::no_echo::NoEcho;
use super::signals::Watch;
use super::{Console, Input, NOT_TEXT, Redact};
use crate::protocol::Secret;

/// Plays lines, and writes the session as a terminal would have shown it, with secrets redacted.
pub struct Script<R, W> {
    input: BufReader<R>,
    output: W,
    redact: Redact,
    echo: Echo,
    /// A `\n` now would belong to the line end before it.
    after_return: bool,
    lost: bool,
    source: Option<Source>,
    /// How many lines were read.
    count: usize,
    /// Which of them was the last command.
    command: usize,
    signals: Watch,
}

/// Where the lines come from, for who has to find one that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Standard input.
    StandardInput,
    /// Something that is called so, such as a file.
    Named(String),
}

/// Who shows what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// The console writes it behind the prompt.
    Written,
    /// The terminal that it was typed at has shown it.
    Typed,
}

impl<R: io::Read, W: Write> Script<R, W> {
    /// Plays `input`.
    pub fn new(input: R, output: W, redact: Redact, echo: Echo) -> Self {
        let input = BufReader::new(input);
        let signals = Watch::default();
        let (after_return, lost, source) = (false, false, None);
        Self { input, output, redact, echo, after_return, lost, source, count: 0, command: 0, signals }
    }

    /// The same, ended by signals.
    #[must_use]
    pub(super) fn watched(self, signals: Watch) -> Self {
        Self { signals, ..self }
    }

    /// The same, with a name for its lines.
    #[must_use]
    pub fn named(self, source: Source) -> Self {
        Self { source: Some(source), ..self }
    }

    /// One line without its end, which is `\n`, `\r` or both.
    fn read(&mut self) -> Read {
        // Growing would leave copies of what may be a password behind.
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

    /// What is there of the input; nothing at its end, behind a signal, or if it or the output is lost. Before it waits for
    /// more, all that was written is shown.
    fn buffered(&mut self) -> &[u8] {
        if self.input.buffer().is_empty() && !self.lost {
            self.lost = self.output.flush().is_err();
            let comes = self.source != Some(Source::StandardInput) || self.signals.await_input();
            // Once: a terminal's end of input is over after it was seen.
            self.lost |= comes && self.input.fill_buf().is_err();
        }
        if self.lost { &[] } else { self.input.buffer() }
    }

    fn read_counted(&mut self) -> Read {
        self.count = self.count.saturating_add(1);
        self.read()
    }

    /// Shows a prompt, reads a line that `keep` keeps, and shows it.
    fn ask(&mut self, prompt: &str, keep: fn(&str) -> bool, redact: Redact) -> Input<String> {
        if self.signals.caught().is_some() {
            return Input::Ended;
        }
        // Whoever waits for the prompt gets it before the line is waited for; whoever has sent the line already gets both at
        // once.
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
                if self.echo == Echo::Written {
                    self.print(&format!("{}\n", redact(&line)));
                }
                // Nobody would see what it does.
                return if self.lost { Input::Ended } else { Input::Given(line) };
            }
        }
    }
}

/// What was read.
enum Read {
    Line(String),
    /// Guessing would make one password of several.
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
        let input = self.ask(prompt, |line| !line.trim_start().starts_with('#'), self.redact);
        self.command = self.count;
        input
    }

    fn answer(&mut self, question: &str) -> Input<String> {
        // What answers a question may have been meant as a command.
        self.ask(question, |_| true, self.redact)
    }

    fn secret(&mut self, prompt: &str) -> Input<Secret> {
        let hidden = (self.echo == Echo::Typed).then(NoEcho::on_stdin);
        let input = self.ask(prompt, |_| true, |_| String::new());
        if hidden.is_some() {
            // The Enter that ended the password was not shown, either.
            self.print("\n");
        }
        match input {
            Input::Given(line) => Input::Given(Secret::new(line)),
            Input::Interrupted => Input::Interrupted,
            Input::Ended => Input::Ended,
        }
    }

    fn print(&mut self, text: &str) {
        let written = self.output.write_all(text.as_bytes()).and_then(|()| self.output.flush());
        self.lost |= written.is_err();
    }

    fn blame(&mut self, what: &str) {
        let name = match (&self.source, self.echo) {
            (Some(Source::Named(name)), _) => name,
            (Some(Source::StandardInput), Echo::Written) => "stdin",
            // Who types it sees what fails.
            (Some(Source::StandardInput), Echo::Typed) | (None, _) => return,
        };
        // Nobody is left to be told that standard error is closed.
        let _ = writeln!(io::stderr(), "{name}:{}: {what} failed", self.command);
    }

    fn commence(&mut self) {
        self.signals.set_running(true);
    }

    fn ended_by(&self) -> Option<i32> {
        self.signals.caught()
    }

    fn reads_standard_input(&self) -> bool {
        self.source == Some(Source::StandardInput)
    }

    fn is_lost(&self) -> bool {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::{Console, Echo, Input, Script};

    /// Stars for digits.
    fn redact(line: &str) -> String {
        line.chars().map(|letter| if letter.is_ascii_digit() { '*' } else { letter }).collect()
    }

    fn play<T>(input: &[u8], play: impl FnOnce(&mut dyn Console) -> T) -> (T, String) {
        let mut output = Vec::new();
        let played = play(&mut Script::new(Cursor::new(input), &mut output, redact, Echo::Written));
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
    fn comments_are_left_out_but_not_as_answers() {
        let (lines, output) = play(b"# no\n  # no\nyes\n#1\n", |console| {
            (given(console.line(">")), given(console.answer("sure?")))
        });
        assert_eq!(lines, (Some("yes".to_owned()), Some("#1".to_owned())));
        assert_eq!(output, ">yes\nsure?#*\n");
    }

    #[test]
    fn secrets_are_not_echoed_and_answers_are_redacted() {
        let (secret, output) = play(b"hush1\nlogin 1234\n", |console| {
            let secret = given(console.secret("Enter password: "));
            console.answer("(y/n)?");
            secret.map(|secret| secret.expose().to_owned())
        });
        assert_eq!(secret.as_deref(), Some("hush1"));
        assert_eq!(output, "Enter password: \n(y/n)?login ****\n");
    }

    #[test]
    fn a_line_that_is_no_text_is_left_out_aloud() {
        let (kinds, output) = play(b"p\xe4ss\nnext\n", |console| {
            [console.line(">"), console.line(">")].map(|line| matches!(line, Input::Given(_)))
        });
        assert_eq!(kinds, [false, true]);
        assert_eq!(output, ">\nThis line is not UTF-8; it is left out\n>next\n");
    }
}
