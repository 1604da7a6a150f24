//! The thread that writes an HSM's store: it waits for the disk, so that no thread that serves connections has to.

use std::io;
use std::sync::mpsc;
use std::thread;

use tokio::sync::oneshot;

use crate::hsmd::keeping::store::Store;

/// A store on its thread. Dropping this closes the store.
pub(super) struct Writer {
    work: mpsc::Sender<Task>,
    /// Resolves when the store is closed.
    closed: oneshot::Receiver<()>,
}

pub(super) type Task = Box<dyn FnOnce(&mut Store) + Send>;

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// If the system cannot start one.
    pub(super) fn start(store: Store) -> io::Result<Self> {
        let (sender, work) = mpsc::channel::<Task>();
        let (closing, closed) = oneshot::channel::<()>();
        thread::Builder::new().name("store".to_owned()).spawn(move || {
            // Locals are dropped in reverse order, after a panic, too: so this signals that the store is closed.
            let _closing = closing;
            let mut store = store;
            work.into_iter().for_each(|work| work(&mut store));
        })?;
        Ok(Self { work: sender, closed })
    }

    /// Runs a function on the store; `None` if it, or an earlier one, panicked.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, done) = oneshot::channel();
        // The caller may have stopped waiting.
        let work = move |store: &mut Store| drop(sender.send(work(store)));
        self.work.send(Box::new(work)).ok()?;
        done.await.ok()
    }

    /// Has something done on the store, after what was asked for before.
    pub(super) fn later(&self, work: Task) {
        // If an earlier one panicked, this one is dropped.
        let _ = self.work.send(work);
    }

    /// Closes the store, and returns when its lock is released.
    pub(super) async fn close(self) {
        drop(self.work);
        // Nothing is ever sent: the end of the channel is the signal.
        let _ = self.closed.await;
    }
}
