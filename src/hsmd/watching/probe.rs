//! Looking at a running HSM from the outside.

use std::sync::Weak;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use crate::hsmd::serving::requests::Count;
use crate::hsmd::serving::run::Running;
use crate::hsmd::serving::shared::Shared;
use crate::hsmd::serving::status::Status;

/// A way to see how an HSM is. It keeps nothing alive: an HSM stops whoever watches it.
#[derive(Clone)]
pub struct Probe {
    hsm_id: String,
    shared: Weak<Shared>,
}

/// What was seen.
#[derive(Debug)]
pub struct Sight {
    /// Whose.
    pub hsm_id: String,
    /// Open now, those whose clients have not said hello included.
    pub connections: usize,
    /// Answered so far; empty once the HSM has stopped.
    pub requests: Vec<Count>,
    /// `None` if the HSM does not answer.
    pub status: Option<Status>,
}

/// How long an HSM may take to answer: its owner waits for the disk, and for all who asked earlier.
const PATIENCE: Duration = Duration::from_secs(2);

impl Probe {
    /// Watches one.
    #[must_use]
    pub fn of(hsm: &Running) -> Self {
        Self { hsm_id: hsm.hsm_id.clone(), shared: Weak::clone(&hsm.shared) }
    }

    /// Looks, for two seconds at most.
    pub async fn look(&self) -> Sight {
        let hsm_id = self.hsm_id.clone();
        let Some(shared) = self.shared.upgrade() else {
            return Sight { hsm_id, connections: 0, requests: Vec::new(), status: None };
        };
        let status = timeout(PATIENCE, shared.engine.status()).await.ok().flatten();
        let free = shared.connections.available_permits();
        let connections = shared.max_connections.saturating_sub(free);
        Sight { hsm_id, connections, requests: shared.requests.counts(), status }
    }
}

/// Looks at all at the same time; the answers come in the same order.
pub async fn look_at(hsms: &[Probe]) -> Vec<Sight> {
    join_all(hsms.iter().map(Probe::look)).await
}
