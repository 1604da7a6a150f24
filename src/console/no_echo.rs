//! Turns off a terminal's echo, while standard output is not a terminal.

use std::io;
use std::sync::Mutex;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Standard input is not echoed as long as this lives, or until [`restore`].
pub(super) struct NoEcho;

/// The modes to return to. Static, as the thread that ends the program by a signal has no other way to reach them.
static SAVED: Mutex<Option<Termios>> = Mutex::new(None);

impl NoEcho {
    pub(super) fn on_stdin() -> Self {
        if let Ok(modes) = tcgetattr(io::stdin())
            && let Ok(mut saved) = SAVED.lock()
        {
            let mut hidden = modes.clone();
            hidden.local_modes -= LocalModes::ECHO;
            *saved = Some(modes);
            // `Now` rather than `Flush`, which would drop an answer that was typed ahead.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &hidden);
        }
        Self
    }
}

impl Drop for NoEcho {
    fn drop(&mut self) {
        restore();
    }
}

/// Turns the echo on again if [`NoEcho`] has turned it off.
pub(super) fn restore() {
    if let Some(modes) = SAVED.lock().ok().and_then(|mut saved| saved.take()) {
        // It fails if the terminal is gone, which then has no modes.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &modes);
    }
}
