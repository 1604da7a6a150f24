//! What a client may take.

use std::time::Duration;

/// Limits of number and time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time; more wait until one ends.
    pub connections: usize,
    /// For the first line and headers of a request, and so also how long a connection may be idle.
    pub head: Duration,
    /// For a request's body, from the end of the headers on.
    pub body: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 128, head: Duration::from_secs(20), body: Duration::from_secs(30) }
    }
}
