//! Signals while a script plays: the command that runs comes to its end and says what it has done, and then the program
//! ends as the signal would have ended it.

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

/// What a signal finds, and what it leaves. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<State>);

#[derive(Default)]
struct State {
    /// Whether a command runs, which could have changed something.
    running: AtomicBool,
    /// The signal that ends the session; 0 is none.
    caught: AtomicI32,
    /// Can be read once a signal ends a command.
    stopped: Option<OwnedFd>,
}

/// A signal that comes so soon behind another is the same: some senders send it to a program and to its group.
const TWICE: Duration = Duration::from_millis(500);

/// How long a command may take to its end, such as one whose output nobody reads.
const PATIENCE: Duration = Duration::from_secs(10);

impl Watch {
    /// Watches until the program ends. What is ignored stays so, such as Ctrl-C by a job in a script's background.
    pub(super) fn start(interrupt: Interrupt) -> io::Result<Self> {
        let ignored = ignored();
        let wanted =
            [SIGHUP, SIGINT, SIGQUIT, SIGTERM].into_iter().filter(|signal| ignored >> signal & 1 == 0);
        let mut signals = Signals::new(wanted)?;
        let (stopped, stop) = pipe_with(PipeFlags::CLOEXEC)?;
        let watch = Self(Arc::new(State { stopped: Some(stopped), ..State::default() }));
        let this = watch.clone();
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let (mut stop, mut first) = (Some(stop), None);
            for signal in signals.forever() {
                let since = first.get_or_insert_with(Instant::now).elapsed();
                if this.stops(signal) {
                    interrupt.raise();
                    // Closed, it can be read to its end.
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

    /// Whether this signal is the first, and comes while a command runs.
    fn stops(&self, signal: i32) -> bool {
        let is_first = self.0.caught.swap(signal, Ordering::SeqCst) == 0;
        is_first && signal != SIGQUIT && self.0.running.load(Ordering::SeqCst)
    }

    /// From now on a command runs, or none.
    pub(super) fn set_running(&self, running: bool) {
        self.0.running.store(running, Ordering::SeqCst);
    }

    /// The signal that ends the session, if one does.
    pub(super) fn caught(&self) -> Option<i32> {
        Some(self.0.caught.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
    }

    /// Waits until standard input has something, or its end; whether that was before a signal.
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
    // It fails only for signals that do not exist.
    let _ = emulate_default_handler(signal);
}

/// A bit for each signal that this program was started to ignore, from bit 1 on; none where the system does not tell.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).map_or(0, |mask| mask << 1)
}
