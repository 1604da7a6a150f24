//! The thread that an HSM's store is written on: it waits for the disk, and nobody else does.

use std::io;
use std::sync::mpsc;
use std::thread;

use tokio::sync::oneshot;

use crate::hsmd::keeping::store::Store;

/// A store on its thread, which closes it when this is dropped.
pub(super) struct Writer {
    work: mpsc::Sender<Task>,
    /// Ends when the store is closed.
    closed: oneshot::Receiver<()>,
}

type Task = Box<dyn FnOnce(&mut Store) + Send>;

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// If the system has none.
    pub(super) fn start(store: Store) -> io::Result<Self> {
        let (sender, work) = mpsc::channel::<Task>();
        let (closing, closed) = oneshot::channel::<()>();
        thread::Builder::new().name("store".to_owned()).spawn(move || {
            // Dropped behind the store, also by a panic.
            let _closing = closing;
            let mut store = store;
            work.into_iter().for_each(|work| work(&mut store));
        })?;
        Ok(Self { work: sender, closed })
    }

    /// Does this with the store; `None` if it panicked, now or earlier.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, done) = oneshot::channel();
        // Who waits for it may have given up.
        let work = move |store: &mut Store| drop(sender.send(work(store)));
        self.work.send(Box::new(work)).ok()?;
        done.await.ok()
    }

    /// Closes the store.
    pub(super) async fn close(self) {
        drop(self.work);
        // It is never sent to, only dropped.
        let _ = self.closed.await;
    }
}
