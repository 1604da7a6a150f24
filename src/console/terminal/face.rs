//! What the line editor shows: the line with stars for secrets, however it is edited, and the hint.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::env;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::stdio::dup2_stdin;
use rustyline::completion::Completer;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::validate::Validator;
use rustyline::{
    Cmd, ConditionalEventHandler, Context, Event, EventContext, EventHandler, Helper, RepeatCount,
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::secrets::Secrets;
use crate::console::Language;
use crate::console::complete::candidates;
use crate::console::fold::cut;
use crate::console::tty::Tty;

/// rustyline's helper.
pub(super) struct Face {
    language: Language,
    secrets: RefCell<Secrets>,
    /// Whether there ever was a secret.
    seen: Arc<AtomicBool>,
    /// What the editor reads from instead of the terminal, until it does.
    switch: RefCell<Option<OwnedFd>>,
    position: Option<LinePosition>,
    /// The column of the hint that is shown.
    hinted: Cell<Option<usize>>,
}

/// Where the line is on the screen.
struct LinePosition {
    tty: Arc<Tty>,
    /// The column after the prompt.
    start: usize,
}

impl Face {
    pub(super) fn new(language: Language) -> Self {
        let (secrets, switch) = (RefCell::default(), RefCell::default());
        Self { language, secrets, seen: Arc::default(), switch, position: None, hinted: Cell::default() }
    }

    /// Makes the editor read from `end` as soon as it has set the terminal's modes.
    pub(super) fn begin(&mut self, end: BorrowedFd<'_>, prompt: &str, tty: &Arc<Tty>) -> io::Result<()> {
        self.switch = RefCell::new(Some(end.try_clone_to_owned()?));
        self.position = Some(LinePosition { tty: Arc::clone(tty), start: prompt.width() });
        self.hinted.take();
        Ok(())
    }

    /// Drops the switch, if the editor has ended before it read anything.
    pub(super) fn forget_switch(&mut self) -> io::Result<()> {
        self.switch.take();
        Ok(())
    }

    /// The secrets of the line that was edited.
    pub(super) fn take_secrets(&mut self) -> Secrets {
        self.secrets.take()
    }

    /// The column of the hint that is shown.
    pub(super) fn hinted(&self) -> Option<usize> {
        self.hinted.get()
    }

    /// The redacted line, as wide as the line itself.
    ///
    /// A word that was a secret stays hidden while the line is edited. So do its parts, if the line has no secret at the
    /// moment: its command may have been erased.
    fn shown(&self, line: &str) -> String {
        let redacted = (self.language.redact)(line);
        let has_a_secret = redacted != line;
        let mut redacted = redacted.chars();
        line.split_inclusive(' ')
            .map(|word| {
                let shown: String = redacted.by_ref().take(word.chars().count()).collect();
                self.shown_word(word, &shown, has_a_secret)
            })
            .collect()
    }

    fn shown_word(&self, word: &str, shown: &str, line_has_a_secret: bool) -> String {
        let name = word.trim_end_matches(' ');
        if word != shown {
            self.seen.store(true, Ordering::SeqCst);
            self.secrets.borrow_mut().note(name);
            return widen(word, shown.chars());
        }
        let secrets = self.secrets.borrow();
        if secrets.have(name) || (!line_has_a_secret && secrets.have_part(name)) {
            widen(word, name.chars().map(|_| '*').chain(" ".chars()))
        } else {
            word.to_owned()
        }
    }
}

/// The redacted word, with as many stars for each character as it is wide: rustyline places the cursor by the width of the line.
fn widen(word: &str, shown: impl Iterator<Item = char>) -> String {
    word.chars()
        .zip(shown)
        .map(|(typed, shown)| {
            let times = if typed == shown { 1 } else { typed.width().unwrap_or(1) };
            shown.to_string().repeat(times)
        })
        .collect()
}

impl Helper for Face {}

impl Completer for Face {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _ctx: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let line = line.get(..pos).unwrap_or_default();
        Ok(candidates(line, (self.language.complete)(line)))
    }
}

impl Validator for Face {}

/// rustyline sets the modes of file descriptor 0, which must be the terminal then, asks for a hint, and reads descriptor 0.
/// So the first hint is the moment to make descriptor 0 the pump's socket.
impl Hinter for Face {
    type Hint = Remaining;

    fn hint(&self, line: &str, pos: usize, _ctx: &Context<'_>) -> Option<Remaining> {
        if let Some(end) = self.switch.take() {
            // Both descriptors are open, so it cannot fail.
            let _ = dup2_stdin(end);
        }
        let hint = self.fitting(line).filter(|_| pos == line.len());
        self.hinted.set(hint.as_ref().and(self.end_of(line)));
        hint.map(Remaining)
    }
}

impl Face {
    /// As much of the hint as fits after the line, with a column left for the cursor.
    fn fitting(&self, line: &str) -> Option<String> {
        let hint = (self.language.hint)(line).filter(|_| has_colours())?;
        let columns = self.position.as_ref()?.tty.columns();
        let room = columns.checked_sub(self.end_of(line)?.saturating_add(1))?;
        (room >= LEGIBLE.min(hint.width())).then(|| cut(&hint, room))
    }

    fn end_of(&self, line: &str) -> Option<usize> {
        Some(self.position.as_ref()?.start.saturating_add(line.width()))
    }
}

/// The fewest columns in which a hint says something.
const LEGIBLE: usize = 10;

/// The hint: what may still be typed. It is shown, and never inserted.
pub(super) struct Remaining(String);

impl Hint for Remaining {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

/// Whether the hint can be dimmed (<https://no-color.org>). Otherwise it would look like typed text.
fn has_colours() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

impl Highlighter for Face {
    fn highlight<'l>(&self, line: &'l str, _pos: usize) -> Cow<'l, str> {
        Cow::Owned(self.shown(line))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[2m{hint}\x1b[22m"))
    }

    /// Whether the line has to be repainted. If not, rustyline writes a character typed at the end as it is.
    fn highlight_char(&self, line: &str, _pos: usize, _kind: CmdKind) -> bool {
        self.shown(line) != line
    }
}

/// Disables pasting once a secret may have been cut: elsewhere in the line it would be readable.
pub(super) struct NoSecretBack {
    seen: Arc<AtomicBool>,
}

impl NoSecretBack {
    pub(super) fn handler(face: &Face) -> EventHandler {
        EventHandler::Conditional(Box::new(Self { seen: Arc::clone(&face.seen) }))
    }
}

impl ConditionalEventHandler for NoSecretBack {
    fn handle(
        &self,
        _event: &Event,
        _times: RepeatCount,
        _forward: bool,
        _line: &EventContext<'_>,
    ) -> Option<Cmd> {
        self.seen.load(Ordering::SeqCst).then_some(Cmd::Noop)
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::console::Completion;

    fn language() -> Language {
        Language {
            redact,
            recall: str::to_owned,
            is_kept: |_| false,
            complete: Rc::new(|_| Completion::Path),
            hint: |_| None,
        }
    }

    /// Redacts what follows `pin `.
    fn redact(line: &str) -> String {
        let shown = |(at, typed)| if at >= 4 && line.starts_with("pin ") { '*' } else { typed };
        line.chars().enumerate().map(shown).collect()
    }

    #[test]
    fn a_secret_stays_hidden_without_its_command() {
        let face = Face::new(language());
        assert_eq!(face.shown("pin hush"), "pin ****");
        assert_eq!(face.shown("pi hush"), "pi ****");
        assert_eq!(face.shown("hush now"), "**** now");
        assert_eq!(face.shown("SH! ush"), "SH! ***");
    }

    #[test]
    fn stars_are_as_wide_as_what_they_hide() {
        let face = Face::new(language());
        assert_eq!(face.shown("pin 宽a"), "pin ***");
    }

    #[test]
    fn other_lines_are_shown_as_they_are() {
        let face = Face::new(language());
        assert_eq!(face.shown("pinless  hush "), "pinless  hush ");
        assert!(face.secrets.borrow().is_empty());
    }
}
