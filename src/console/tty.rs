//! The terminal device: its modes and its bytes, until it is given back to the shell with the modes it had.
//!
//! No library: those that take over a terminal also edit and repaint lines (see `terminal`).

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, mem, thread};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, getpgrp, kill_current_process_group};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcgetwinsize,
    tcsetattr,
};
use signal_hook::consts::SIGCONT;
use zeroize::Zeroizing;

use super::utf8::Utf8;

/// One terminal, held from the start of the program to its end.
///
/// Except in the last [`Phase`] the kernel neither echoes nor edits, so that what is typed ahead waits unseen for its
/// prompt. The output modes are never changed: `\n` still goes to the start of the next line.
pub(super) struct Tty {
    input: OwnedFd,
    output: OwnedFd,
    saved: Termios,
    utf8: Mutex<Utf8>,
    phase: Mutex<Phase>,
    continued: Arc<AtomicBool>,
    interrupted: AtomicBool,
    lost: AtomicBool,
}

/// What the program is doing, which decides what Ctrl-C does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// There was no prompt yet: Ctrl-C ends the program.
    Starting,
    /// A prompt or a question waits: Ctrl-C is read as a byte, and drops the line.
    Asking,
    /// A command runs: Ctrl-C interrupts it.
    Running,
    /// The terminal is the shell's again, for good.
    Closed,
}

impl Tty {
    /// Takes over standard input and output. From now on the kernel echoes nothing.
    pub(super) fn open() -> io::Result<Self> {
        // Duplicates: the line editor makes descriptor 0 something else for a while.
        let input = io::stdin().as_fd().try_clone_to_owned()?;
        let output = io::stdout().as_fd().try_clone_to_owned()?;
        let saved = tcgetattr(&input)?;
        let continued = Arc::default();
        signal_hook::flag::register(SIGCONT, Arc::clone(&continued))?;
        let tty = Self {
            input,
            output,
            saved,
            utf8: Mutex::default(),
            phase: Mutex::new(Phase::Starting),
            continued,
            interrupted: AtomicBool::new(false),
            lost: AtomicBool::new(false),
        };
        tty.set(&tty.mode(Phase::Starting))?;
        Ok(tty)
    }

    /// Changes what Ctrl-C does. No effect once closed.
    pub(super) fn enter(&self, phase: Phase) {
        let mut current = self.lock();
        if *current == Phase::Closed {
            return;
        }
        *current = phase;
        if self.set(&self.mode(phase)).is_err() {
            self.lost.store(true, Ordering::SeqCst);
        }
    }

    pub(super) fn phase(&self) -> Phase {
        *self.lock()
    }

    /// Gives the terminal back for good.
    pub(super) fn close(&self) {
        let mut current = self.lock();
        *current = Phase::Closed;
        self.restore();
    }

    /// Sets the shell's modes until the next [`enter`](Self::enter).
    pub(super) fn restore(&self) {
        if !self.is_lent_out() {
            // It fails if the terminal is gone, which then has no modes.
            let _ = self.set(&self.saved);
        }
    }

    /// Whether another process group is in the foreground. The shell has set its own modes then, and to set them from the
    /// background would stop this process (SIGTTOU) when it is about to end.
    fn is_lent_out(&self) -> bool {
        tcgetpgrp(&self.input).is_ok_and(|foreground| foreground != getpgrp())
    }

    /// Ctrl-Z: stops the whole job, as the kernel would, and returns when the shell continues it.
    pub(super) fn suspend(&self) {
        // Before the stop: the shell's prompt needs the shell's modes.
        self.restore();
        self.continued.store(false, Ordering::SeqCst);
        if kill_current_process_group(Signal::TSTP).is_ok() {
            self.await_continuation();
            self.await_foreground();
        }
        self.enter(Phase::Asking);
    }

    /// Another thread may take the signal, and this one runs on for a moment. A mode that it sets in that moment would be the
    /// shell's. Bounded, as a job without job control (an orphaned process group) is not stopped at all.
    fn await_continuation(&self) {
        for _ in 0..2_000 {
            if self.continued.load(Ordering::SeqCst) {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// `kill %1` also continues a job, but in the background. There, setting a mode would stop it again before the signal
    /// could end it.
    fn await_foreground(&self) {
        while self.is_lent_out() {
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Notes a Ctrl-C that arrived as a signal.
    pub(super) fn interrupt(&self) {
        self.interrupted.store(true, Ordering::SeqCst);
    }

    /// Whether [`interrupt`](Self::interrupt) was called since the last time.
    pub(super) fn take_interrupt(&self) -> bool {
        self.interrupted.swap(false, Ordering::SeqCst)
    }

    /// Waits for input and appends the bytes of whole characters. `false` at the end of input: hang-up.
    pub(super) fn read(&self, into: &mut VecDeque<u8>) -> bool {
        let mut bytes = Zeroizing::new([0; CHUNK]);
        loop {
            match rustix::io::read(&self.input, bytes.as_mut_slice()) {
                Ok(0) => return false,
                Ok(count) => {
                    let mut utf8 = self.utf8.lock().unwrap_or_else(PoisonError::into_inner);
                    into.extend(utf8.decode(bytes.get(..count).unwrap_or_default()).as_bytes());
                    return true;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.wait_for(&self.input, PollFlags::IN),
                Err(_) => return false,
            }
        }
    }

    /// Whether input arrives within the limit.
    pub(super) fn has_input(&self, limit: Duration) -> bool {
        let limit = Timespec::try_from(limit).ok();
        let mut input = [PollFd::new(&self.input, PollFlags::IN)];
        // Interrupted by a signal (EINTR): as if nothing had arrived.
        poll(&mut input, limit.as_ref()).is_ok_and(|ready| ready > 0)
    }

    /// Writes the whole text. If that fails, the terminal is lost from then on.
    pub(super) fn write(&self, text: &str) {
        let mut rest = text.as_bytes();
        while !rest.is_empty() && !self.is_lost() {
            match rustix::io::write(&self.output, rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                // O_NONBLOCK belongs to the open terminal: any process that shares it may have set it.
                Err(Errno::AGAIN) => self.wait_for(&self.output, PollFlags::OUT),
                Err(_) => self.lost.store(true, Ordering::SeqCst),
            }
        }
    }

    /// Whether writing or setting a mode has failed: the terminal was closed.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    pub(super) fn columns(&self) -> usize {
        match tcgetwinsize(&self.output) {
            Ok(size) if size.ws_col > 0 => usize::from(size.ws_col),
            Ok(_) | Err(_) => 80,
        }
    }

    /// The terminal, also while file descriptor 0 is something else.
    pub(super) fn input(&self) -> BorrowedFd<'_> {
        self.input.as_fd()
    }

    fn wait_for(&self, end: &OwnedFd, flags: PollFlags) {
        // An error shows again at the next read or write.
        let _ = poll(&mut [PollFd::new(end, flags)], None);
    }

    /// `Now` rather than `Flush`, which would drop what was typed ahead.
    fn set(&self, mode: &Termios) -> rustix::io::Result<()> {
        loop {
            match tcsetattr(&self.input, OptionalActions::Now, mode) {
                Err(Errno::INTR) => {}
                result => return result,
            }
        }
    }

    fn mode(&self, phase: Phase) -> Termios {
        match phase {
            Phase::Starting | Phase::Running => interruptible(self.quiet()),
            Phase::Asking => uninterruptible(self.quiet()),
            Phase::Closed => self.saved.clone(),
        }
    }

    /// Not echoed, byte by byte, with CR and LF as they were sent.
    fn quiet(&self) -> Termios {
        let mut mode = self.saved.clone();
        // IEXTEN and IXON, too: Ctrl-V, Ctrl-S and Ctrl-Q are keys of the line editor.
        mode.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ECHONL | LocalModes::IEXTEN;
        mode.input_modes -= InputModes::ICRNL | InputModes::INLCR | InputModes::IGNCR | InputModes::IXON;
        mode.input_modes -= InputModes::BRKINT | InputModes::INPCK | InputModes::ISTRIP;
        mode.special_codes[SpecialCodeIndex::VMIN] = 1;
        mode.special_codes[SpecialCodeIndex::VTIME] = 0;
        mode
    }

    fn lock(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ctrl-C makes a signal, no other key does. Ctrl-Z waits for the next prompt, where [`Tty::suspend`] handles it.
fn interruptible(mut mode: Termios) -> Termios {
    mode.local_modes |= LocalModes::ISIG;
    mode.special_codes[SpecialCodeIndex::VSUSP] = DISABLED;
    mode.special_codes[SpecialCodeIndex::VQUIT] = DISABLED;
    mode
}

/// No key makes a signal. rustyline still binds these codes as keys, even a disabled one (NUL), so they are the usual ones.
fn uninterruptible(mut mode: Termios) -> Termios {
    mode.local_modes -= LocalModes::ISIG;
    mode.special_codes[SpecialCodeIndex::VINTR] = 3;
    mode.special_codes[SpecialCodeIndex::VEOF] = 4;
    mode.special_codes[SpecialCodeIndex::VSUSP] = 26;
    mode.special_codes[SpecialCodeIndex::VQUIT] = 28;
    mode
}

/// Takes the first byte and wipes its place in the queue: it may be a password's.
pub(super) fn take_first(bytes: &mut VecDeque<u8>) -> Option<u8> {
    let first = mem::take(bytes.front_mut()?);
    bytes.pop_front();
    Some(first)
}

/// The most bytes that are read at once.
pub(super) const CHUNK: usize = 4096;

/// `_POSIX_VDISABLE` on Linux.
const DISABLED: u8 = 0;
