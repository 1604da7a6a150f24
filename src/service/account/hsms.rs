//! The account's HSMs, as they run in this process.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

use super::ports::Ports;
use crate::hsm;
use crate::hsmd::serving::clock::Clock;
use crate::hsmd::serving::engine::Engine;
use crate::hsmd::serving::run::{RunError, Running};
use crate::hsmd::watching::probe::Probe;
use crate::protocol::device::Member;
use crate::service::shapes::names::{ClusterId, HsmId};

/// All HSMs that should run.
pub(super) struct Units {
    all: Mutex<BTreeMap<HsmId, Unit>>,
    clock: Clock,
    /// Where other machines reach them.
    ports: Option<Ports>,
}

/// An HSM that runs, or why it does not.
enum Unit {
    Running(Running),
    Down(String),
}

/// How long an HSM may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

impl Units {
    pub(super) fn new(clock: Clock, ports: Option<Ports>) -> Self {
        Self { all: Mutex::default(), clock, ports }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<HsmId, Unit>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts an HSM of a cluster; on a failure it is down, and the failure is returned, too.
    pub(super) async fn start(&self, id: &HsmId, folder: &Path) -> Result<(), String> {
        let (unit, result) = match self.begin(folder).await {
            Ok(running) => (Unit::Running(running), Ok(())),
            Err(error) => {
                let reason = error.to_string();
                (Unit::Down(reason.clone()), Err(reason))
            }
        };
        self.all().insert(id.clone(), unit);
        result
    }

    /// Lets an HSM ask the others of its cluster for keys, which have to know it by then.
    pub(super) fn follow_keys(&self, cluster: &ClusterId, id: &HsmId) {
        if let Some(Unit::Running(running)) = self.all().get(id) {
            running.follow_keys_in(cluster.as_str());
        }
    }

    async fn begin(&self, folder: &Path) -> Result<Running, RunError> {
        let mut running = Running::start_at(folder, None, self.clock.clone()).await?;
        tracing::info!(hsm_id = %running.hsm_id, address = %running.address, "listening");
        let Some(address) = self.ports.and_then(|ports| ports.published(running.address)) else {
            return Ok(running);
        };
        match running.listen_also(address) {
            Ok(()) => {
                tracing::info!(hsm_id = %running.hsm_id, %address, "listening");
                Ok(running)
            }
            Err(error) => {
                running.stop().await;
                Err(error)
            }
        }
    }

    /// Stops an HSM, after its open calls, and forgets it.
    pub(super) async fn stop(&self, id: &HsmId) {
        let unit = self.all().remove(id);
        if let Some(Unit::Running(running)) = unit {
            running.stop().await;
        }
    }

    /// The HSM's engine, if it runs.
    pub(super) fn engine(&self, id: &HsmId) -> Option<Engine> {
        match self.all().get(id)? {
            Unit::Running(running) if running.is_alive() => running.engine(),
            Unit::Running(_) | Unit::Down(_) => None,
        }
    }

    /// Why an HSM does not run; `None` if it does.
    pub(super) fn trouble(&self, id: &HsmId) -> Option<String> {
        match self.all().get(id) {
            Some(Unit::Running(running)) if running.is_alive() => None,
            Some(Unit::Running(_)) => Some("The HSM ended unexpectedly and is started again.".to_owned()),
            Some(Unit::Down(reason)) => Some(format!("The HSM does not start: {reason}")),
            None => Some("The HSM is not started yet.".to_owned()),
        }
    }

    /// The state of an HSM that runs and answers.
    pub(super) async fn snapshot(&self, id: &HsmId) -> Option<hsm::Hsm> {
        let engine = self.engine(id)?;
        timeout(PATIENCE, engine.snapshot()).await.ok().flatten()
    }

    /// When somebody last managed an HSM that runs, and its state. An HSM that only joined or started is older than one
    /// on which something was done.
    pub(super) async fn last_managed(&self, id: &HsmId) -> Option<(u64, hsm::Hsm)> {
        let (engine, hsm) = (self.engine(id)?, self.snapshot(id).await?);
        let before_last = hsm.audit_head().sequence.saturating_sub(1);
        let part = engine.with_store(move |store| store.audit_part(before_last).ok());
        let part = timeout(PATIENCE, part).await.ok().flatten().flatten();
        let records = part.and_then(|part| part.records().ok()).unwrap_or_default();
        Some((records.last().map_or(0, |record| record.time), hsm))
    }

    pub(super) async fn set_members(&self, id: &HsmId, members: Vec<Member>) {
        if let Some(Unit::Running(running)) = self.all().get(id) {
            running.set_members(&members);
        }
        if let Some(engine) = self.engine(id) {
            engine.set_members(members).await;
        }
    }

    /// Ends an HSM as a fault would.
    pub(super) fn abort(&self, id: &HsmId) {
        if let Some(Unit::Running(running)) = self.all().get(id) {
            running.abort();
        }
    }

    /// How many HSMs run, and how many do not.
    pub(super) fn count(&self) -> (usize, usize) {
        let all = self.all();
        let running =
            all.values().filter(|unit| matches!(unit, Unit::Running(running) if running.is_alive()));
        let active = running.count();
        (active, all.len().saturating_sub(active))
    }

    /// For monitoring: the HSMs that run, and why the others do not.
    pub(super) fn look(&self) -> (Vec<Probe>, Vec<String>) {
        let all = self.all();
        let running = all.values().filter_map(|unit| match unit {
            Unit::Running(running) => Some(Probe::of(running)),
            Unit::Down(_) => None,
        });
        let down = all.iter().filter_map(|(id, unit)| match unit {
            Unit::Running(_) => None,
            Unit::Down(reason) => Some(format!("{id}: {reason}\n")),
        });
        (running.collect(), down.collect())
    }

    /// Stops all at once.
    pub(super) async fn stop_all(&self) {
        let all = std::mem::take(&mut *self.all());
        let stopping = all.into_values().filter_map(|unit| match unit {
            Unit::Running(running) => Some(tokio::spawn(running.stop())),
            Unit::Down(_) => None,
        });
        for stopped in stopping.collect::<Vec<_>>() {
            // A panic has been reported already.
            let _ = stopped.await;
        }
    }
}
