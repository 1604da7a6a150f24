//! A terminal that shows nothing, while standard output is something else.

use std::io;
use std::sync::Mutex;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Standard input does not echo as long as this lives, or until [`restore`].
pub(super) struct NoEcho;

/// The modes to return to.
static SAVED: Mutex<Option<Termios>> = Mutex::new(None);

impl NoEcho {
    pub(super) fn on_stdin() -> Self {
        if let Ok(modes) = tcgetattr(io::stdin())
            && let Ok(mut saved) = SAVED.lock()
        {
            let mut hidden = modes.clone();
            hidden.local_modes -= LocalModes::ECHO;
            *saved = Some(modes);
            // Without flushing: what was typed ahead is the answer.
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

/// Echoes again, if it was this that stopped it.
pub(super) fn restore() {
    if let Some(modes) = SAVED.lock().ok().and_then(|mut saved| saved.take()) {
        // A terminal that is gone has no modes.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &modes);
    }
}
