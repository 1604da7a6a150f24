//! Frames on TLS connections, and whom to trust on them.
//!
//! An HSM proves that it is of the owner's cluster by the cluster's key, which a certificate signed with the
//! owner's `customerCA.crt` vouches for ([`certificate`]). It identifies a cluster, not a host.

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

/// How long each phase may last, on either side.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until the TCP connection stands.
    pub connect: Duration,
    /// Until TLS stands.
    pub handshake: Duration,
    /// Until the other side's first frame is there.
    pub hello: Duration,
    /// Until the answer to a call is there. RSA key pairs can take seconds.
    pub call: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(5), handshake: seconds(5), hello: seconds(5), call: seconds(30) }
    }
}

/// A phase of a connection that did not end in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{phase} not done within {limit:?}")]
pub struct TimedOut {
    phase: &'static str,
    limit: Duration,
}

/// Waits for a phase, and names it if it lasts too long.
async fn within<T>(
    phase: &'static str,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Result<T, TimedOut> {
    timeout(limit, work).await.map_err(|_| TimedOut { phase, limit })
}
