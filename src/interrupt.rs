//! Ctrl-C, or a signal that ends the program, while a command waits for its servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A flag that the console raises and a waiting [`Cluster`](crate::cluster::Cluster) call obeys.
///
/// Clones share the flag. It stays raised until the next command clears it, so that what is left of the
/// interrupted command ends at once, too.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<State>);

#[derive(Default)]
struct State {
    raised: AtomicBool,
    changed: Notify,
}

impl Interrupt {
    /// Ends whatever waits, now and until [`clear`](Self::clear).
    pub fn raise(&self) {
        self.0.raised.store(true, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }

    /// Makes the next command wait again.
    pub fn clear(&self) {
        self.0.raised.store(false, Ordering::SeqCst);
    }

    /// Whether somebody interrupted since the last [`clear`](Self::clear).
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst)
    }

    /// Ends as soon as the flag is raised.
    pub async fn raised(&self) {
        loop {
            let changed = self.0.changed.notified();
            if self.is_raised() {
                return;
            }
            changed.await;
        }
    }
}
