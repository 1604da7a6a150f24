//! Looks at a running HSM from outside.

use std::sync::Weak;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use crate::hsmd::following::board::Figures;
use crate::hsmd::serving::requests::Count;
use crate::hsmd::serving::run::Running;
use crate::hsmd::serving::shared::Shared;
use crate::hsmd::serving::status::Status;

/// Looks at one HSM. It holds only a weak reference, so that an HSM can stop while it is being watched.
#[derive(Clone)]
pub struct Probe {
    hsm_id: String,
    shared: Weak<Shared>,
}

/// What a probe saw.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Sight {
    pub hsm_id: String,
    /// Open connections, including those still in the handshake.
    pub connections: usize,
    /// Those of them that have no login.
    pub without_login: usize,
    /// Connections without a login that were closed so far: to make room for others, and for want of a login in time.
    pub pushed_out: u64,
    pub timed_out: u64,
    pub following: Figures,
    /// Requests answered so far; empty once the HSM has stopped.
    pub requests: Vec<Count>,
    /// `None` if the HSM does not answer.
    pub status: Option<Status>,
}

/// How long an HSM may take to answer: its engine may be waiting for the disk, and answers in order.
const PATIENCE: Duration = Duration::from_secs(2);

impl Probe {
    /// Watches an HSM.
    #[must_use]
    pub fn of(hsm: &Running) -> Self {
        Self { hsm_id: hsm.hsm_id.clone(), shared: Weak::clone(&hsm.shared) }
    }

    /// Looks, for two seconds at most.
    pub async fn look(&self) -> Sight {
        let hsm_id = self.hsm_id.clone();
        let Some(shared) = self.shared.upgrade() else {
            return Sight { hsm_id, ..Sight::default() };
        };
        let status = timeout(PATIENCE, shared.engine.status()).await.ok().flatten();
        let free = shared.connections.available_permits();
        let connections = shared.max_connections.saturating_sub(free);
        let strangers = &shared.strangers;
        let following = shared.part.now().map(|following| following.board().figures());
        Sight {
            hsm_id,
            connections,
            without_login: strangers.len(),
            pushed_out: strangers.pushed_out(),
            timed_out: strangers.timed_out(),
            following: following.unwrap_or_default(),
            requests: shared.requests.counts(),
            status,
        }
    }
}

/// Looks at several HSMs at once; the order stays the same.
pub async fn look_at(hsms: &[Probe]) -> Vec<Sight> {
    join_all(hsms.iter().map(Probe::look)).await
}
