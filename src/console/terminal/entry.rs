//! The line that is being typed without an editor, and how much of it is on the screen.

use std::mem;

use unicode_width::UnicodeWidthChar;
use zeroize::Zeroizing;

use crate::console::Redact;

/// Grows at its end only. It is wiped when dropped, whatever it holds.
pub(super) struct Entry {
    text: Zeroizing<String>,
    echo: Echo,
    shown: usize,
}

/// What the screen shows of an [`Entry`].
#[derive(Clone, Copy)]
pub(super) enum Echo {
    /// Each character, or a `*` for one of a secret.
    Redacted(Redact),
    /// Nothing, not even its length.
    Nothing,
}

impl Entry {
    pub(super) fn new(echo: Echo) -> Self {
        // Room enough for any password that an HSM takes: growing would leave a copy behind.
        Self { text: Zeroizing::new(String::with_capacity(512)), echo, shown: 0 }
    }

    pub(super) fn push(&mut self, character: char) {
        self.text.push(character);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn into_text(mut self) -> String {
        mem::take(&mut *self.text)
    }

    /// The part that is not on the screen yet; from now on it counts as shown.
    pub(super) fn unshown(&mut self) -> String {
        let visible = self.visible();
        let unshown = visible.chars().skip(self.shown).collect();
        self.shown = visible.chars().count();
        unshown
    }

    /// The screen was lost: everything has to be shown again.
    pub(super) fn forget_shown(&mut self) {
        self.shown = 0;
    }

    /// Takes the last character away, which is on the screen, and tells what wipes it from there.
    pub(super) fn erase(&mut self) -> String {
        let visible = self.visible();
        self.text.pop();
        self.shown = self.shown.saturating_sub(1);
        let width = visible.chars().next_back().and_then(char::width).unwrap_or(0);
        ["\u{8}", " ", "\u{8}"].map(|step| step.repeat(width)).concat()
    }

    /// How it looks in full.
    pub(super) fn visible(&self) -> String {
        match self.echo {
            Echo::Redacted(redact) => redact(&self.text),
            Echo::Nothing => String::new(),
        }
    }
}
