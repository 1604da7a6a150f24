//! Bytes from the terminal as keys, with what was typed ahead of its prompt.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use std::{mem, str};

use zeroize::{Zeroize, Zeroizing};

use crate::console::tty::{CHUNK, Tty, take_first};

/// What the next bytes say.
#[derive(Clone, Copy)]
pub(super) enum Key {
    /// One printable character.
    Text(char),
    /// `\r`, `\n` or `\r\n`.
    Enter,
    /// Any other control byte, DEL among them.
    Control(u8),
    /// Hang-up.
    Closed,
}

/// The keys in the order in which they were typed. Bytes that were taken are wiped: they may be a password's.
pub(super) struct Keys {
    tty: Arc<Tty>,
    ahead: VecDeque<u8>,
    character: Zeroizing<Vec<u8>>,
    after_return: bool,
}

impl Keys {
    pub(super) fn new(tty: Arc<Tty>) -> Self {
        let character = Zeroizing::new(Vec::with_capacity(4));
        Self { tty, ahead: VecDeque::with_capacity(CHUNK), character, after_return: false }
    }

    /// Waits for the next key.
    pub(super) fn next(&mut self) -> Key {
        loop {
            let Some(byte) = self.byte() else { return Key::Closed };
            if let Some(key) = self.key(byte) {
                return key;
            }
        }
    }

    /// Whether the next key has to be waited for.
    pub(super) fn is_empty(&self) -> bool {
        self.ahead.is_empty()
    }

    /// Whether nothing comes for so long; what comes is kept.
    pub(super) fn pause(&mut self, limit: Duration) -> bool {
        self.ahead.is_empty() && !self.tty.has_input(limit)
    }

    /// Takes what was typed while nothing asked for it, if that is Enter and nothing else.
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

    /// Whether a whole line is here already, which is a program's or a paste rather than a person's keys.
    pub(super) fn hold_a_line(&self) -> bool {
        self.ahead.iter().any(|byte| matches!(byte, b'\r' | b'\n'))
    }

    /// Skips what an arrow or function key sends after its ESC, all at once.
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

    /// Drops what was typed ahead of an interrupted command, as the kernel did with what it still had.
    pub(super) fn clear(&mut self) {
        self.ahead.iter_mut().for_each(Zeroize::zeroize);
        self.ahead.clear();
    }

    /// Takes what was typed ahead, for another reader.
    pub(super) fn take(&mut self) -> VecDeque<u8> {
        mem::replace(&mut self.ahead, VecDeque::with_capacity(CHUNK))
    }

    /// Puts back what another reader left over after it had read a line.
    pub(super) fn put_back(&mut self, unread: VecDeque<u8>) {
        self.ahead = unread;
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

    /// The key that this byte completes.
    fn key(&mut self, byte: u8) -> Option<Key> {
        let after_return = mem::replace(&mut self.after_return, byte == b'\r');
        match byte {
            b'\n' if after_return => None,
            b'\r' | b'\n' => Some(Key::Enter),
            0..0x20 | 0x7f => Some(Key::Control(byte)),
            _ => self.text(byte),
        }
    }

    /// Waits for the last byte of a character. What would steer the terminal is left out.
    fn text(&mut self, byte: u8) -> Option<Key> {
        self.character.push(byte);
        let character = str::from_utf8(&self.character).ok()?.chars().next();
        self.character.zeroize();
        character.filter(|character| !character.is_control()).map(Key::Text)
    }
}
