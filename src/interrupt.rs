//! Ctrl-C, or a signal that ends the program, while a command waits for its servers.

use tokio::sync::watch;

/// A flag that the console raises and a waiting [`Cluster`](crate::cluster::Cluster) call obeys.
///
/// Clones share the flag. It stays raised until the next command clears it, so that the rest of the interrupted command
/// ends at once, too.
#[derive(Clone, Default)]
pub struct Interrupt(watch::Sender<bool>);

impl Interrupt {
    /// Ends every wait, now and until [`clear`](Self::clear).
    pub fn raise(&self) {
        // `send` would not even store the value while nobody waits.
        self.0.send_replace(true);
    }

    /// Lets the next command wait again.
    pub fn clear(&self) {
        // Waking those who wait takes longer than looking, and every command clears the flag first.
        self.0.send_if_modified(std::mem::take);
    }

    /// Whether the flag was raised since the last [`clear`](Self::clear).
    #[must_use]
    pub fn is_raised(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns as soon as the flag is raised.
    pub async fn raised(&self) {
        // It fails only when the last sender is gone, and `self` is one.
        let _ = self.0.subscribe().wait_for(|raised| *raised).await;
    }
}
