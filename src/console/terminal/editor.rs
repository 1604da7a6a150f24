//! The line editor, which takes over a line at a person's first editing key.

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

use super::face::{Face, NoSecretBack};
use super::history::{HistoryFile, LENGTH};
use super::secrets::Secrets;
use super::signals::end_by;
use super::typed_line::TypedLine;
use crate::console::pump::Pump;
use crate::console::tty::{Phase, Tty};
use crate::console::{Input, Language};

/// rustyline, with this session's history and, once a person is there, that of earlier sessions.
pub(super) struct LineEditor {
    rustyline: Editor<Face, MemHistory>,
    language: Language,
    /// The path of the history file, until a person is there.
    history: Option<PathBuf>,
    /// The lines to save once a person is there.
    unwritten: Vec<String>,
    file: Option<HistoryFile>,
    /// The secrets of the last edited line, until it is remembered or the next one begins.
    secrets: Secrets,
}

impl LineEditor {
    /// `None` if the terminal cannot repaint a line, or its type is unknown.
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

    /// Keeps the line for arrow-up, without its secrets, and saves it for later sessions if it never had one.
    pub(super) fn remember(&mut self, line: &str) {
        let (recalled, secrets) = ((self.language.recall)(line), mem::take(&mut self.secrets));
        let has_a_secret = |word| secrets.have(word) || (recalled == line && secrets.have_part(word));
        if recalled.split_ascii_whitespace().any(has_a_secret) {
            return;
        }
        // A history in memory never fails. It refuses a repeated line, for example, which is no error.
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

    /// Loads the history file, and saves the lines of this session so far. Not earlier: a program does not use the history,
    /// and a person does not want a program's lines in it.
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

    /// Continues a line that is on the screen. `keys` come before what the terminal still has; what was not read of both is
    /// returned. It fails only for lack of resources.
    pub(super) fn edit(
        &mut self,
        prompt: &str,
        typed: &TypedLine,
        keys: VecDeque<u8>,
        tty: &Arc<Tty>,
    ) -> io::Result<(Input<String>, VecDeque<u8>)> {
        self.welcome();
        let pump = Pump::start(tty, keys)?;
        self.face_mut(|face| face.begin(pump.near(), prompt, tty))?;
        tty.write(&back_to_prompt(prompt, &typed.visible(), tty.columns()));
        let line = self.rustyline.readline_with_initial(prompt, (typed.text(), ""));
        self.face_mut(Face::forget_switch)?;
        // Before the modes: rustyline could not restore them on the pump's socket, so that `enter` has to.
        dup2_stdin(tty.input())?;
        tty.enter(Phase::Asking);
        // Last, as the keys that were typed until now are what is left over.
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

    /// Erases the hint of an abandoned line, which is now in the row above.
    fn without_hint(&self) -> String {
        let hinted = self.rustyline.helper().and_then(Face::hinted);
        hinted.map(|column| format!("\x1b[A\x1b[{column}C\x1b[K\n")).unwrap_or_default()
    }

    /// Makes a new editor after a line with a secret: Ctrl-Y must not paste it into the next line, and rustyline has no way
    /// to clear what was cut. Returns the secrets.
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

/// A history that begins with these lines.
fn lines(earlier: &[&str]) -> MemHistory {
    let mut history = MemHistory::default();
    // Neither can fail in memory.
    let _ = history.set_max_len(LENGTH);
    for line in earlier {
        let _ = history.add(line);
    }
    history
}

/// The terminals on which rustyline does not edit either, and no terminal type at all, which it takes for a capable one.
const UNABLE: [&str; 4] = ["", "dumb", "cons25", "emacs"];

fn rustyline(language: &Language, history: MemHistory) -> Option<Editor<Face, MemHistory>> {
    let config = Config::builder()
        // rustyline redacts only where it colours; without colours it would show a password.
        .color_mode(ColorMode::Forced)
        // A session that is pasted as a whole must not become one line.
        .bracketed_paste(false)
        .completion_type(CompletionType::List)
        .build();
    let mut editor = Editor::with_history(config, history).ok()?;
    editor.enable_synchronized_output(false);
    let face = Face::new(language.clone());
    editor.bind_sequence(KeyEvent::ctrl('Y'), NoSecretBack::handler(&face));
    // The pump has suspended the job before it feeds this key: on return the line has to be painted again.
    editor.bind_sequence(KeyEvent::ctrl('Z'), Cmd::Repaint);
    editor.set_helper(Some(face));
    Some(editor)
}

/// Moves up to the prompt's row if the line wraps: the editor paints from the row of the cursor on.
fn back_to_prompt(prompt: &str, visible: &str, columns: usize) -> String {
    match rows_below(prompt.chars().chain(visible.chars()), columns) {
        0 => String::new(),
        rows => format!("\x1b[{rows}A\r\x1b[J"),
    }
}

/// How often a terminal wraps the text. It wraps when a character does not fit any more, not when the row is full.
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
            // No key was pressed, so another process sent SIGINT, and rustyline's handler has replaced ours.
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
