//! Signals while a script plays: the command that runs comes to its end and says what it has done, and then the program
//! ends as the signal would have ended it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::{fs, io, thread};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::no_echo;
use crate::interrupt::Interrupt;

/// What a signal finds, and what it leaves. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<State>);

#[derive(Default)]
struct State {
    /// Whether a command runs, which could have changed something.
    running: AtomicBool,
    /// The signal that ends the session; 0 is none.
    caught: AtomicI32,
}

impl Watch {
    /// Watches until the program ends. What is ignored stays so, such as Ctrl-C by a job in a script's background.
    pub(super) fn start(interrupt: Interrupt) -> io::Result<Self> {
        let ignored = ignored();
        let wanted =
            [SIGHUP, SIGINT, SIGQUIT, SIGTERM].into_iter().filter(|signal| ignored >> signal & 1 == 0);
        let mut signals = Signals::new(wanted)?;
        let watch = Self::default();
        let this = watch.clone();
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                this.take(signal, &interrupt);
            }
        })?;
        Ok(watch)
    }

    /// A second signal is not waited for.
    fn take(&self, signal: i32, interrupt: &Interrupt) {
        let is_first = self.0.caught.swap(signal, Ordering::SeqCst) == 0;
        if is_first && signal != SIGQUIT && self.0.running.load(Ordering::SeqCst) {
            interrupt.raise();
        } else {
            end_by(signal);
        }
    }

    /// From now on a command runs, or none; says what was before.
    pub(super) fn set_running(&self, running: bool) -> bool {
        self.0.running.swap(running, Ordering::SeqCst)
    }

    /// The signal that ends the session, if one does.
    pub(super) fn caught(&self) -> Option<i32> {
        Some(self.0.caught.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
    }
}

/// Ends the program as the signal would have.
pub fn end_by(signal: i32) {
    no_echo::restore();
    // It fails only for signals that do not exist.
    let _ = emulate_default_handler(signal);
}

/// A bit for each signal that this program was started to ignore, from bit 1 on; none where the system does not tell.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).map_or(0, |mask| mask << 1)
}
