//! Looking at a running HSM from the outside.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use super::report::Report;
use super::requests::Count;
use super::server::Service;

/// A way to see how an HSM is. It keeps nothing alive: an HSM stops whoever watches it.
#[derive(Clone)]
pub struct Watch {
    hsm_id: String,
    service: Weak<Service>,
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
    pub report: Option<Report>,
}

/// How long an HSM may take to answer: its owner waits for the disk, and for all who asked earlier.
const PATIENCE: Duration = Duration::from_secs(2);

impl Watch {
    /// Watches one.
    #[must_use]
    pub fn new(service: &Arc<Service>) -> Self {
        Self { hsm_id: service.hsm_id.clone(), service: Arc::downgrade(service) }
    }

    /// Looks, for two seconds at most.
    pub async fn look(&self) -> Sight {
        let hsm_id = self.hsm_id.clone();
        let Some(service) = self.service.upgrade() else {
            return Sight { hsm_id, connections: 0, requests: Vec::new(), report: None };
        };
        let report = timeout(PATIENCE, service.engine.report()).await.ok().flatten();
        let free = service.connections.available_permits();
        let connections = service.max_connections.saturating_sub(free);
        Sight { hsm_id, connections, requests: service.requests.counts(), report }
    }
}

/// Looks at all at the same time; the answers come in the same order.
pub async fn look_at(hsms: &[Watch]) -> Vec<Sight> {
    join_all(hsms.iter().map(Watch::look)).await
}
