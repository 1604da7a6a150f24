//! A line that is typed without an editor, and how much of it is on the screen.

use std::mem;

use unicode_width::UnicodeWidthChar;
use zeroize::Zeroizing;

use crate::console::Redact;

/// The line. It changes at its end only, and is wiped when dropped, as it may hold a password.
pub(super) struct TypedLine {
    text: Zeroizing<String>,
    echo: Echo,
    shown: usize,
}

/// What the screen shows of a [`TypedLine`].
#[derive(Clone, Copy)]
pub(super) enum Echo {
    /// The line, with a `*` for each character of a secret.
    Redacted(Redact),
    /// Nothing, not even its length.
    Nothing,
}

impl TypedLine {
    pub(super) fn new(echo: Echo) -> Self {
        // Room for any password that an HSM accepts: a string that grows leaves a copy in memory.
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

    /// The part that is not on the screen yet. It counts as shown from now on.
    pub(super) fn unshown(&mut self) -> String {
        let visible = self.visible();
        let unshown = visible.chars().skip(self.shown).collect();
        self.shown = visible.chars().count();
        unshown
    }

    /// Makes [`unshown`](Self::unshown) return everything again.
    pub(super) fn forget_shown(&mut self) {
        self.shown = 0;
    }

    /// Removes the last character, which is on the screen. Returns the text that erases it there.
    pub(super) fn erase(&mut self) -> String {
        let visible = self.visible();
        self.text.pop();
        self.shown = self.shown.saturating_sub(1);
        let width = visible.chars().next_back().and_then(char::width).unwrap_or(0);
        ["\u{8}", " ", "\u{8}"].map(|step| step.repeat(width)).concat()
    }

    /// The whole line as the screen shows it.
    pub(super) fn visible(&self) -> String {
        match self.echo {
            Echo::Redacted(redact) => redact(&self.text),
            Echo::Nothing => String::new(),
        }
    }
}
