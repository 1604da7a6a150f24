//! Signals while a script plays: the running command ends and prints what it has done, and then the program ends as the
//! signal would have ended it.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::no_echo;
use crate::interrupt::Interrupt;

/// What the script and the thread that takes the signals know of each other. Clones share it.
#[derive(Clone, Default)]
pub(super) struct SignalWatch(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Whether a command runs, which may have changed something.
    running: AtomicBool,
    /// The signal that ends the session, or 0.
    caught: AtomicI32,
    /// A pipe that becomes readable once a signal ends a command, so that a read of standard input can wait for both.
    stopped: Option<OwnedFd>,
}

/// A signal so soon after another one is the same: some senders send it to the program and to its process group.
const TWICE: Duration = Duration::from_millis(500);

/// The longest that the running command may take to end. It may be blocked, as when nobody reads its output.
const PATIENCE: Duration = Duration::from_secs(10);

impl SignalWatch {
    /// Watches until the program ends. Signals that are ignored stay so: a shell starts background jobs without SIGINT, so
    /// that Ctrl-C ends only the job in the foreground.
    pub(super) fn start(interrupt: Interrupt) -> io::Result<Self> {
        let ignored = ignored();
        let wanted =
            [SIGHUP, SIGINT, SIGQUIT, SIGTERM].into_iter().filter(|signal| ignored >> signal & 1 == 0);
        let mut signals = Signals::new(wanted)?;
        let (stopped, stop) = pipe_with(PipeFlags::CLOEXEC)?;
        let watch = Self(Arc::new(Shared { stopped: Some(stopped), ..Shared::default() }));
        let this = watch.clone();
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let (mut stop, mut first) = (Some(stop), None);
            for signal in signals.forever() {
                let since = first.get_or_insert_with(Instant::now).elapsed();
                if this.stops(signal) {
                    interrupt.raise();
                    // The other end of a closed pipe is readable: it has reached its end.
                    drop(stop.take());
                    thread::spawn(move || {
                        thread::sleep(PATIENCE);
                        end_by(signal);
                    });
                } else if stop.is_some() || since > TWICE {
                    end_by(signal);
                }
            }
        })?;
        Ok(watch)
    }

    /// Whether the running command ends before the program does: at the first signal, unless it is SIGQUIT.
    fn stops(&self, signal: i32) -> bool {
        let is_first = self.0.caught.swap(signal, Ordering::SeqCst) == 0;
        is_first && signal != SIGQUIT && self.0.running.load(Ordering::SeqCst)
    }

    pub(super) fn set_running(&self, running: bool) {
        self.0.running.store(running, Ordering::SeqCst);
    }

    /// The signal that ends the session.
    pub(super) fn caught(&self) -> Option<i32> {
        Some(self.0.caught.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
    }

    /// Waits for input, its end or a signal. `false` for a signal.
    pub(super) fn await_input(&self) -> bool {
        let Some(stopped) = &self.0.stopped else { return true };
        let input = io::stdin();
        let mut ends = [PollFd::new(&input, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
        while let Err(Errno::INTR) = poll(&mut ends, None) {}
        let [_, stopped] = &ends;
        stopped.revents().is_empty()
    }
}

/// Ends the program as the signal would have.
pub fn end_by(signal: i32) {
    no_echo::restore();
    // It fails only for a number that is not a signal.
    let _ = emulate_default_handler(signal);
}

/// The ignored signals, signal 1 at bit 1. From `/proc`, as there is no safe call to read a handler; elsewhere 0.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let redact = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    redact.and_then(|redact| u64::from_str_radix(redact.trim(), 16).ok()).map_or(0, |redact| redact << 1)
}
