//! What the line editor shows: secrets as stars, however the line is edited.

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

/// rustyline's view of the console.
pub(super) struct Face {
    language: Language,
    secrets: RefCell<Secrets>,
    seen: Arc<AtomicBool>,
    switch: RefCell<Option<OwnedFd>>,
    place: Option<Place>,
    /// The column where a hint is shown.
    hinted: Cell<Option<usize>>,
}

/// Where the line is.
struct Place {
    tty: Arc<Tty>,
    /// Its first column, behind the prompt.
    start: usize,
}

impl Face {
    pub(super) fn new(language: Language) -> Self {
        let (secrets, switch) = (RefCell::default(), RefCell::default());
        Self { language, secrets, seen: Arc::default(), switch, place: None, hinted: Cell::default() }
    }

    /// Makes the editor read from `end` as soon as it has set the terminal's mode.
    pub(super) fn begin(&mut self, end: BorrowedFd<'_>, prompt: &str, tty: &Arc<Tty>) -> io::Result<()> {
        self.switch = RefCell::new(Some(end.try_clone_to_owned()?));
        self.place = Some(Place { tty: Arc::clone(tty), start: prompt.width() });
        self.hinted.take();
        Ok(())
    }

    /// The editor has ended, perhaps before it came to the switch.
    pub(super) fn forget_switch(&mut self) -> io::Result<()> {
        self.switch.take();
        Ok(())
    }

    /// The secrets of the line that was edited.
    pub(super) fn take_secrets(&mut self) -> Secrets {
        self.secrets.take()
    }

    /// The column where the hint is that is shown, if one is.
    pub(super) fn hinted(&self) -> Option<usize> {
        self.hinted.get()
    }

    /// The line as others may see it, each character as wide as it was.
    ///
    /// A word that was secret once stays so while the line is edited; if no word stands where a secret belongs, as the
    /// command was rubbed out, so do its parts.
    fn shown(&self, line: &str) -> String {
        let redacted = (self.language.redact)(line);
        let is_in_place = redacted != line;
        let mut redacted = redacted.chars();
        line.split_inclusive(' ')
            .map(|word| {
                let shown: String = redacted.by_ref().take(word.chars().count()).collect();
                self.shown_word(word, &shown, is_in_place)
            })
            .collect()
    }

    fn shown_word(&self, word: &str, shown: &str, is_in_place: bool) -> String {
        let name = word.trim_end_matches(' ');
        if word != shown {
            self.seen.store(true, Ordering::SeqCst);
            self.secrets.borrow_mut().note(name);
            return widen(word, shown.chars());
        }
        let secrets = self.secrets.borrow();
        if secrets.have(name) || (!is_in_place && secrets.have_part(name)) {
            widen(word, name.chars().map(|_| '*').chain(" ".chars()))
        } else {
            word.to_owned()
        }
    }
}

/// rustyline places its cursor by the width of what was typed.
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

/// The editor asks for the first hint between setting the terminal's mode, for which file descriptor 0 must be the
/// terminal, and its first read: the one moment to put another end there.
impl Hinter for Face {
    type Hint = Remaining;

    fn hint(&self, line: &str, pos: usize, _ctx: &Context<'_>) -> Option<Remaining> {
        if let Some(end) = self.switch.take() {
            // Both ends are open, so that it cannot fail.
            let _ = dup2_stdin(end);
        }
        let hint = self.fitting(line).filter(|_| pos == line.len());
        self.hinted.set(hint.as_ref().and(self.end_of(line)));
        hint.map(Remaining)
    }
}

impl Face {
    /// As much of the hint as fits beside the line, with one column for the cursor behind it.
    fn fitting(&self, line: &str) -> Option<String> {
        let hint = (self.language.hint)(line).filter(|_| has_colours())?;
        let columns = self.place.as_ref()?.tty.columns();
        let room = columns.checked_sub(self.end_of(line)?.saturating_add(1))?;
        (room >= LEGIBLE.min(hint.width())).then(|| cut(&hint, room))
    }

    fn end_of(&self, line: &str) -> Option<usize> {
        Some(self.place.as_ref()?.start.saturating_add(line.width()))
    }
}

/// In columns: less of a hint says nothing.
const LEGIBLE: usize = 10;

/// What is still to be typed: shown, and never put into the line.
pub(super) struct Remaining(String);

impl Hint for Remaining {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

/// Without them a hint looks like what was typed: <https://no-color.org>.
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

    /// Without it, characters typed at the end would be written as they are.
    fn highlight_char(&self, line: &str, _pos: usize, _kind: CmdKind) -> bool {
        self.shown(line) != line
    }
}

/// Refuses to paste what was cut, once a secret may be in it: in another place it would be readable.
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
    fn a_secret_stays_one_without_its_command() {
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
