//! Feeds the line editor from the terminal, one byte per packet.
//!
//! rustyline reads as much as there is, and at the end of a line keeps or drops the rest. From a packet socket it gets one
//! byte at a time, and what it has not read can be taken back in order: what is typed ahead is never lost.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};

use super::tty::{Tty, take_first};

/// A running feed. It ends when it is stopped or the terminal hangs up.
pub(super) struct Pump {
    near: OwnedFd,
    stop: OwnedFd,
    interrupted: Arc<AtomicBool>,
    feed: JoinHandle<VecDeque<u8>>,
}

impl Pump {
    /// Feeds `first`, then what the terminal sends.
    pub(super) fn start(tty: &Arc<Tty>, first: VecDeque<u8>) -> io::Result<Self> {
        let (near, far) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        let (stopped, stop) = pipe_with(PipeFlags::CLOEXEC)?;
        let interrupted = Arc::new(AtomicBool::new(false));
        let feed = Feed {
            tty: Arc::clone(tty),
            far,
            stopped,
            waiting: first,
            interrupted: Arc::clone(&interrupted),
        };
        let feed = thread::Builder::new().name("pump".to_owned()).spawn(move || feed.run())?;
        Ok(Self { near, stop, interrupted, feed })
    }

    /// The end that the editor reads.
    pub(super) fn near(&self) -> BorrowedFd<'_> {
        self.near.as_fd()
    }

    /// Ends the feed. Returns whether it has fed a Ctrl-C, and what was not read.
    pub(super) fn stop(self) -> (bool, VecDeque<u8>) {
        // The feed polls the other end of this pipe.
        drop(self.stop);
        let waiting = self.feed.join().unwrap_or_default();
        let mut unread = packets(&self.near);
        unread.extend(waiting);
        (self.interrupted.load(Ordering::SeqCst), unread)
    }
}

/// The packets that were not read. The socket is empty then: `DONTWAIT` instead of waiting for more.
fn packets(near: &OwnedFd) -> VecDeque<u8> {
    let mut unread = VecDeque::new();
    let mut byte = [0];
    while let Ok((1.., _)) = recv(near, &mut byte, RecvFlags::DONTWAIT) {
        unread.extend(byte);
    }
    unread
}

struct Feed {
    tty: Arc<Tty>,
    far: OwnedFd,
    stopped: OwnedFd,
    waiting: VecDeque<u8>,
    interrupted: Arc<AtomicBool>,
}

/// What a [`Feed`] can do next.
enum NextStep {
    Stop,
    Feed,
    Read,
}

impl Feed {
    /// Returns what it could not feed. Its socket is closed then, which the editor takes for the end of input.
    fn run(mut self) -> VecDeque<u8> {
        loop {
            let goes_on = match self.wait() {
                NextStep::Stop => false,
                NextStep::Feed => self.feed(),
                NextStep::Read => self.read(),
            };
            if !goes_on {
                return self.waiting;
            }
        }
    }

    /// Reads more only after everything is fed: meanwhile the kernel keeps the rest.
    fn wait(&self) -> NextStep {
        let (next, end, flags) = if self.waiting.is_empty() {
            (NextStep::Read, self.tty.input(), PollFlags::IN)
        } else {
            (NextStep::Feed, self.far.as_fd(), PollFlags::OUT)
        };
        let mut ends = [PollFd::new(&self.stopped, PollFlags::IN), PollFd::from_borrowed_fd(end, flags)];
        while let Err(Errno::INTR) = poll(&mut ends, None) {}
        match ends {
            [stopped, _] if !stopped.revents().is_empty() => NextStep::Stop,
            _ => next,
        }
    }

    fn feed(&mut self) -> bool {
        let Some(&byte) = self.waiting.front() else { return true };
        // Before it is sent, as the editor may act on it at once.
        if matches!(byte, CTRL_C | CTRL_BACKSLASH) {
            self.interrupted.store(true, Ordering::SeqCst);
        }
        match send(&self.far, &[byte], SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
            Ok(_) => {
                take_first(&mut self.waiting);
                true
            }
            Err(Errno::INTR | Errno::AGAIN) => true,
            Err(_) => false,
        }
    }

    fn read(&mut self) -> bool {
        let goes_on = self.tty.read(&mut self.waiting);
        if self.waiting.contains(&CTRL_Z) {
            // The byte is fed, too: it makes the editor repaint.
            self.tty.suspend();
        }
        goes_on
    }
}

const CTRL_C: u8 = 3;
const CTRL_Z: u8 = 26;
const CTRL_BACKSLASH: u8 = 28;
