//! Keystrokes from the terminal's bytes, those included that were typed ahead of the prompt.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use std::{mem, str};

use zeroize::{Zeroize, Zeroizing};

use crate::console::tty::{CHUNK, Tty, take_first};

/// What the next bytes mean.
#[derive(Clone, Copy)]
pub(super) enum Keystroke {
    /// One printable character.
    Text(char),
    /// `\r`, `\n` or `\r\n`.
    Enter,
    /// Any other control byte; DEL is one.
    Control(u8),
    /// No more will come.
    HangUp,
}

/// The keystrokes in order. Bytes that were taken are wiped: they may be a password's.
pub(super) struct Keyboard {
    tty: Arc<Tty>,
    ahead: VecDeque<u8>,
    character: Zeroizing<Vec<u8>>,
    after_return: bool,
}

impl Keyboard {
    pub(super) fn new(tty: Arc<Tty>) -> Self {
        let character = Zeroizing::new(Vec::with_capacity(4));
        Self { tty, ahead: VecDeque::with_capacity(CHUNK), character, after_return: false }
    }

    /// Waits for the next keystroke.
    pub(super) fn next(&mut self) -> Keystroke {
        loop {
            let Some(byte) = self.byte() else { return Keystroke::HangUp };
            if let Some(key) = self.key(byte) {
                return key;
            }
        }
    }

    /// Whether no byte has been read ahead.
    pub(super) fn is_empty(&self) -> bool {
        self.ahead.is_empty()
    }

    /// Whether nothing arrives within the limit.
    pub(super) fn pauses(&mut self, limit: Duration) -> bool {
        self.ahead.is_empty() && !self.tty.has_input(limit)
    }

    /// Takes what was typed while a command runs, if it is Enter and nothing else.
    pub(super) fn take_enter(&mut self) -> bool {
        if !self.ahead.is_empty() || !self.tty.has_input(Duration::ZERO) {
            return false;
        }
        self.fill();
        let is_enter = !self.ahead.is_empty() && self.ahead.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        if is_enter {
            self.ahead.clear();
        }
        is_enter
    }

    /// Whether the rest of the line has been read ahead: a program or a paste sends it at once, a person does not.
    pub(super) fn holds_a_line(&self) -> bool {
        self.ahead.iter().any(|byte| matches!(byte, b'\r' | b'\n'))
    }

    /// Skips what an arrow or function key sends after its ESC. The terminal sends all of it at once.
    pub(super) fn skip_sequence(&mut self) {
        if !matches!(self.ahead.front(), Some(b'[' | b'O')) {
            return;
        }
        self.ahead.pop_front();
        while let Some(byte) = self.ahead.pop_front() {
            if matches!(byte, b'@'..=b'~') {
                return;
            }
        }
    }

    /// Drops what was typed before Ctrl-C interrupted a command. The kernel has dropped what it had (NOFLSH is off).
    pub(super) fn clear(&mut self) {
        self.ahead.iter_mut().for_each(Zeroize::zeroize);
        self.ahead.clear();
    }

    /// Takes the bytes that were read ahead, for the line editor.
    pub(super) fn take(&mut self) -> VecDeque<u8> {
        mem::replace(&mut self.ahead, VecDeque::with_capacity(CHUNK))
    }

    /// Puts back what the line editor has not read.
    pub(super) fn put_back(&mut self, unread: VecDeque<u8>) {
        self.ahead = unread;
        // The editor takes `\r` for the line end. A `\n` after it belongs to the same line end.
        self.after_return = true;
    }

    fn byte(&mut self) -> Option<u8> {
        if self.ahead.is_empty() {
            self.fill();
        }
        take_first(&mut self.ahead)
    }

    fn fill(&mut self) {
        if self.tty.is_lost() {
            return;
        }
        self.tty.read(&mut self.ahead);
    }

    /// The keystroke that this byte completes.
    fn key(&mut self, byte: u8) -> Option<Keystroke> {
        let after_return = mem::replace(&mut self.after_return, byte == b'\r');
        match byte {
            b'\n' if after_return => None,
            b'\r' | b'\n' => Some(Keystroke::Enter),
            0..0x20 | 0x7f => Some(Keystroke::Control(byte)),
            _ => self.text(byte),
        }
    }

    /// The character that this byte completes. Control characters of Unicode are dropped: echoed, they would steer the
    /// terminal.
    fn text(&mut self, byte: u8) -> Option<Keystroke> {
        self.character.push(byte);
        let character = str::from_utf8(&self.character).ok()?.chars().next();
        self.character.zeroize();
        character.filter(|character| !character.is_control()).map(Keystroke::Text)
    }
}
