//! Frames on TLS connections, and whom to trust on them.
//!
//! An HSM proves that it belongs to the owner's cluster by the cluster's private key. A certificate signed by the
//! owner's `customerCA.crt` vouches for that key ([`certificate`]). It identifies a cluster, not a host.

pub mod anchor;
pub mod certificate;
pub mod frame;
pub mod identity;
pub mod link;
pub mod pem_file;
pub mod verifier;

use std::future::Future;
use std::time::Duration;

use tokio::time::timeout;

/// How long each phase may take, on either side.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until TCP is connected.
    pub connect: Duration,
    /// Until the TLS handshake is done.
    pub handshake: Duration,
    /// Until the other side's first frame has arrived.
    pub hello: Duration,
    /// Until the answer to a call has arrived.
    pub call: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        // A call may have the HSM make an RSA key pair, which can take seconds, and wait for others that do.
        Self { connect: seconds(5), handshake: seconds(5), hello: seconds(5), call: seconds(30) }
    }
}

/// A phase of a connection that took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{phase} not done within {limit:?}")]
pub struct TimedOut {
    phase: &'static str,
    limit: Duration,
}

/// Waits for a phase, and names it if it takes too long.
async fn within<T>(
    phase: &'static str,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Result<T, TimedOut> {
    timeout(limit, work).await.map_err(|_| TimedOut { phase, limit })
}
