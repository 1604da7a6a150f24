//! The line editor that takes a line over at a person's first editing key.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, io, mem};

use rustix::stdio::dup2_stdin;
use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::history::{History, MemHistory};
use rustyline::{Cmd, ColorMode, CompletionType, Config, Editor, KeyEvent};
use signal_hook::consts::SIGINT;
use unicode_width::UnicodeWidthChar;

use super::entry::Entry;
use super::face::{Face, NoSecretBack};
use super::history::{HistoryFile, LENGTH};
use super::secrets::Secrets;
use super::signals::end_by;
use crate::console::pump::Pump;
use crate::console::tty::{Phase, Tty};
use crate::console::{Input, Language};

/// rustyline, with the history of the session and, once a person is there, of those before it.
pub(super) struct LineEditor {
    rustyline: Editor<Face, MemHistory>,
    language: Language,
    /// Where a person's lines go, as long as none is there.
    history: Option<PathBuf>,
    /// The lines that go there if one comes.
    unwritten: Vec<String>,
    file: Option<HistoryFile>,
    /// Of the line that was edited last, until it is remembered or the next one begins.
    secrets: Secrets,
}

impl LineEditor {
    /// `None` where the terminal is unable to repaint a line, or does not say what it is.
    pub(super) fn new(language: Language, history: Option<&Path>) -> Option<Self> {
        let term = env::var("TERM").unwrap_or_default();
        if UNABLE.iter().any(|unable| unable.eq_ignore_ascii_case(&term)) {
            return None;
        }
        Some(Self {
            rustyline: rustyline(&language, lines(&[]))?,
            language,
            history: history.map(Path::to_owned),
            unwritten: Vec::new(),
            file: None,
            secrets: Secrets::default(),
        })
    }

    /// Keeps the line for arrow-up, without its secrets, and for later sessions if it has none.
    pub(super) fn remember(&mut self, line: &str) {
        let (recalled, secrets) = ((self.language.recall)(line), mem::take(&mut self.secrets));
        let has_a_secret = |word| secrets.have(word) || (recalled == line && secrets.have_part(word));
        if recalled.split_ascii_whitespace().any(has_a_secret) {
            return;
        }
        // It fails for no line: a history in memory only refuses some, such as a repeated one.
        let _ = self.rustyline.history_mut().add(&recalled);
        if !secrets.is_empty() || !(self.language.is_kept)(line) {
            return;
        }
        match &mut self.file {
            Some(file) => file.keep(line),
            None if self.history.is_some() => self.unwritten.push(line.to_owned()),
            None => {}
        }
    }

    /// Gives a person the lines of earlier sessions, and later sessions those of this one. A program has no use for the
    /// one, nor the next person for the other.
    fn welcome(&mut self) {
        let Some(path) = self.history.take() else { return };
        let unwritten = mem::take(&mut self.unwritten);
        let Some(mut file) = HistoryFile::open(&path) else { return };
        let session = &mem::take(self.rustyline.history_mut());
        let all: Vec<&str> = file.lines().chain(session.into_iter().map(String::as_str)).collect();
        *self.rustyline.history_mut() = lines(&all);
        for line in unwritten {
            file.keep(&line);
        }
        self.file = Some(file);
    }

    /// Goes on with a line that is on the screen already. `keys` come before what the terminal still has; what
    /// nobody has read of both is returned. It fails for want of resources only.
    pub(super) fn edit(
        &mut self,
        prompt: &str,
        entry: &Entry,
        keys: VecDeque<u8>,
        tty: &Arc<Tty>,
    ) -> io::Result<(Input<String>, VecDeque<u8>)> {
        self.welcome();
        let pump = Pump::start(tty, keys)?;
        self.face_mut(|face| face.begin(pump.near(), prompt, tty))?;
        tty.write(&back_to_prompt(prompt, &entry.visible(), tty.columns()));
        let line = self.rustyline.readline_with_initial(prompt, (entry.text(), ""));
        self.face_mut(Face::forget_switch)?;
        dup2_stdin(tty.input())?;
        tty.enter(Phase::Asking);
        let (interrupted, unread) = pump.stop();
        let input = outcome(line, interrupted, tty);
        if matches!(input, Input::Interrupted) {
            tty.write(&self.without_hint());
        }
        self.secrets = self.forget_secrets();
        Ok((input, unread))
    }

    fn face_mut(&mut self, change: impl FnOnce(&mut Face) -> io::Result<()>) -> io::Result<()> {
        self.rustyline.helper_mut().map_or(Ok(()), change)
    }

    /// Takes the hint off an abandoned line, which is in the row above.
    fn without_hint(&self) -> String {
        let hinted = self.rustyline.helper().and_then(Face::hinted);
        hinted.map(|column| format!("\x1b[A\x1b[{column}C\x1b[K\n")).unwrap_or_default()
    }

    /// What was cut from a line with a secret must not be pasted into the next; as cut text cannot be cleared,
    /// the whole editor goes. Returns the secrets.
    fn forget_secrets(&mut self) -> Secrets {
        let secrets = self.rustyline.helper_mut().map(Face::take_secrets).unwrap_or_default();
        if !secrets.is_empty() {
            let history = mem::take(self.rustyline.history_mut());
            if let Some(fresh) = rustyline(&self.language, history) {
                self.rustyline = fresh;
            }
        }
        secrets
    }
}

/// A history that begins with these.
fn lines(earlier: &[&str]) -> MemHistory {
    let mut history = MemHistory::default();
    // As above, it fails for no line, nor for this length.
    let _ = history.set_max_len(LENGTH);
    for line in earlier {
        let _ = history.add(line);
    }
    history
}

/// Terminals that rustyline does not edit on, either, and those without a name.
const UNABLE: [&str; 4] = ["", "dumb", "cons25", "emacs"];

/// Redaction is done where colours are, so that they are forced, though no colour is used. Pasted line ends are line
/// ends: a whole session pasted at once must not become one line.
fn rustyline(language: &Language, history: MemHistory) -> Option<Editor<Face, MemHistory>> {
    let config = Config::builder()
        .color_mode(ColorMode::Forced)
        .bracketed_paste(false)
        .completion_type(CompletionType::List)
        .build();
    let mut editor = Editor::with_history(config, history).ok()?;
    editor.enable_synchronized_output(false);
    let face = Face::new(language.clone());
    editor.bind_sequence(KeyEvent::ctrl('Y'), NoSecretBack::handler(&face));
    editor.bind_sequence(KeyEvent::ctrl('Z'), Cmd::Repaint);
    editor.set_helper(Some(face));
    Some(editor)
}

/// The editor paints from the row that the cursor is on, which must be the prompt's.
fn back_to_prompt(prompt: &str, visible: &str, columns: usize) -> String {
    match rows_below(prompt.chars().chain(visible.chars()), columns) {
        0 => String::new(),
        rows => format!("\x1b[{rows}A\r\x1b[J"),
    }
}

/// How many times a terminal wraps the text: only when a character no longer fits, not when the row is full.
fn rows_below(text: impl Iterator<Item = char>, columns: usize) -> usize {
    let (rows, _) = text.fold((0, 0), |(row, column), character| {
        let width = character.width().unwrap_or(0);
        if column + width > columns { (row + 1, width) } else { (row, column + width) }
    });
    rows
}

fn outcome(line: Result<String, ReadlineError>, interrupted: bool, tty: &Tty) -> Input<String> {
    match line {
        Ok(line) => Input::Given(line),
        Err(ReadlineError::Interrupted) if interrupted => Input::Interrupted,
        Err(ReadlineError::Interrupted) => {
            // rustyline has replaced the handler of SIGINT, and no key was pressed: another process sent it.
            end_by(SIGINT, tty);
            Input::Ended
        }
        Err(_) => Input::Ended,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_row_is_not_wrapped_yet() {
        assert_eq!(rows_below("12345".chars(), 5), 0);
        assert_eq!(rows_below("123456".chars(), 5), 1);
        assert_eq!(rows_below("1234宽".chars(), 5), 1);
        assert_eq!(rows_below("1234宽67宽".chars(), 5), 2);
    }
}
