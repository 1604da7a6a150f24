//! A terminal that shows nothing, while standard output is something else.

use std::io;
use std::sync::{Mutex, Once};
use std::thread;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// Standard input does not echo as long as this lives, or until a signal ends the program.
pub(super) struct NoEcho;

/// The modes to return to.
static SAVED: Mutex<Option<Termios>> = Mutex::new(None);

impl NoEcho {
    pub(super) fn on_stdin() -> Self {
        static WATCH: Once = Once::new();
        WATCH.call_once(restore_on_signals);
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

fn restore() {
    if let Some(modes) = SAVED.lock().ok().and_then(|mut saved| saved.take()) {
        // A terminal that is gone has no modes.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &modes);
    }
}

fn restore_on_signals() {
    let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM]) else { return };
    thread::spawn(move || {
        for signal in signals.forever() {
            restore();
            // It fails only for signals that do not exist.
            let _ = emulate_default_handler(signal);
        }
    });
}
