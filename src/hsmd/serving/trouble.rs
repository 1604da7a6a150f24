//! What an HSM does after its store has failed, as on a full disk: it tries the store again, away from the engine,
//! which goes on reading.

use std::future::pending;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::engine::Attempt;
use crate::hsm::{Hsm, Verdict};
use crate::hsmd::keeping::disk;
use crate::hsmd::keeping::store::Store;
use crate::protocol::Refusal;

/// A store that has failed, and the changes that wait for the next attempt to use it.
pub(super) struct Trouble {
    /// `None` if the store is not a file, and is not tried again.
    path: Option<PathBuf>,
    attempt: Option<oneshot::Receiver<Tried>>,
    begun: Instant,
    waiting: Vec<Waiting>,
}

/// A change, and who waits for its outcome.
pub(super) type Waiting = (Box<Attempt>, oneshot::Sender<Verdict>);

/// What came of an attempt.
#[derive(Default)]
pub(super) struct Tried {
    /// The store and what it holds, if it was closed and could be opened.
    pub(super) opened: Option<(Store, Hsm)>,
    pub(super) disk: Disk,
}

/// Whether changes can be stored.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Disk {
    Writable,
    #[default]
    Failing,
}

/// Whether the store is open, to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    Open,
    Closed,
}

/// Between attempts that no change asks for.
const PAUSE: Duration = Duration::from_secs(5);

impl Trouble {
    /// Tries the store at once: it may be readable.
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        let mut trouble = Self { path, attempt: None, begun: Instant::now(), waiting: Vec::new() };
        trouble.try_again(File::Closed);
        trouble
    }

    /// Tries the store for a change, which waits.
    pub(super) fn wait(&mut self, (attempt, sender): Waiting, file: File) {
        self.try_again(file);
        if self.attempt.is_some() {
            self.waiting.push((attempt, sender));
        } else {
            refuse(sender);
        }
    }

    /// Tries the store for somebody who looks whether it works, if that was long ago.
    pub(super) fn look_again(&mut self, file: File) {
        if self.begun.elapsed() >= PAUSE {
            self.try_again(file);
        }
    }

    fn try_again(&mut self, file: File) {
        let Some(path) = self.path.clone().filter(|_| self.attempt.is_none()) else { return };
        let (sender, attempt) = oneshot::channel();
        let work = move || {
            let disk = disk::must_take_writes(&path).map_or(Disk::Failing, |()| Disk::Writable);
            let opened = if file == File::Closed { Store::open(&path).ok() } else { None };
            // The HSM may have stopped meanwhile.
            let _ = sender.send(Tried { opened, disk });
        };
        // Without a thread, the attempt ends at once.
        let _ = thread::Builder::new().name("store".to_owned()).spawn(work);
        (self.attempt, self.begun) = (Some(attempt), Instant::now());
    }

    /// Waits for the end of the attempt that is under way, for ever if none is.
    pub(super) async fn ended(trouble: &mut Option<Self>) -> Tried {
        match trouble.as_mut().and_then(|trouble| trouble.attempt.as_mut()) {
            Some(attempt) => attempt.await.unwrap_or_default(),
            None => pending().await,
        }
    }

    /// The attempt was a success: the changes that waited can be made.
    pub(super) fn over(self) -> Vec<Waiting> {
        self.waiting
    }

    /// The attempt has failed.
    pub(super) fn lasts(&mut self) {
        self.attempt = None;
        self.waiting.drain(..).for_each(|(_, sender)| refuse(sender));
    }
}

fn refuse(sender: oneshot::Sender<Verdict>) {
    // The client may have gone.
    let _ = sender.send(Verdict::Refused(Refusal::StoreFailure));
}
