//! What all parts of an account share: its state, its turn and its HSMs.

use std::fs::File;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::Options;
use super::file::Places;
use super::hsms::Units;
use super::state::{Backup, Cluster, Phase, State};
use crate::service::failure::Failure;
use crate::service::shapes::names::{BackupId, ClusterId, Region};

pub(super) struct Core {
    pub(super) places: Places,
    pub(super) options: Options,
    /// As it is on the disk.
    state: Mutex<Arc<State>>,
    /// Whoever changes something has it, from the first look to the last commit: so calls are ordered.
    turn: tokio::sync::Mutex<()>,
    /// One commit at a time: the change to ACTIVE needs no turn.
    commits: tokio::sync::Mutex<()>,
    pub(super) units: Units,
    pub(super) closing: CancellationToken,
    /// No other process opens the folder as long as this is open.
    lock: File,
}

impl Core {
    pub(super) fn new(places: Places, options: Options, state: State, lock: File) -> Self {
        let units = Units::new(options.clock.clone(), options.ports);
        Self {
            places,
            options,
            state: Mutex::new(Arc::new(state)),
            turn: tokio::sync::Mutex::default(),
            commits: tokio::sync::Mutex::default(),
            units,
            closing: CancellationToken::new(),
            lock,
        }
    }

    /// Does something as a whole, in its turn: also if the client is gone meanwhile.
    pub(super) async fn whole<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        let core = Arc::clone(self);
        let done = tokio::spawn(async move {
            let _turn = core.turn.lock().await;
            if core.closing.is_cancelled() {
                return Err(closed());
            }
            work.await
        });
        done.await.unwrap_or_else(|error| Err(Failure::internal(error)))
    }

    /// The state without what is gone by now.
    pub(super) fn state(&self) -> State {
        self.stored().at(self.now(), self.pace())
    }

    /// With what is gone by now.
    pub(super) fn stored(&self) -> Arc<State> {
        Arc::clone(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a change, durably; if the disk fails, nothing is changed.
    pub(super) async fn commit(&self, change: impl FnOnce(&mut State)) -> Result<Arc<State>, Failure> {
        let _alone = self.commits.lock().await;
        if self.closing.is_cancelled() {
            return Err(closed());
        }
        let mut next = self.state();
        change(&mut next);
        let (next, places) = (Arc::new(next), self.places.clone());
        let written = Arc::clone(&next);
        blocking(move || places.save(&written).map_err(Failure::internal)).await?;
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next);
        Ok(next)
    }

    /// Stops everything, in a turn; then another process may open the folder, whoever holds this still.
    pub(super) async fn close(&self) {
        self.closing.cancel();
        self.units.stop_all().await;
        let _alone = self.commits.lock().await;
        if let Err(error) = self.lock.unlock() {
            tracing::debug!(%error, "the account's lock is released when the program ends");
        }
    }

    pub(super) fn now(&self) -> u64 {
        self.options.clock.now()
    }

    /// In microseconds, as all times here.
    pub(super) fn pace(&self) -> u64 {
        u64::try_from(self.options.pace.as_micros()).unwrap_or(u64::MAX)
    }
}

fn closed() -> Failure {
    Failure::internal("The service is shutting down.")
}

/// Work that waits for the disk or computes for long.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(Failure::internal(error)))
}

impl State {
    /// A cluster of a region that is not deleted.
    pub(super) fn cluster(&self, region: &Region, id: &ClusterId) -> Result<&Cluster, Failure> {
        let found = self.clusters.get(id).filter(|cluster| cluster.region == *region);
        match found {
            Some(cluster) if cluster.phase != Phase::Deleted => Ok(cluster),
            Some(_) | None => {
                Err(Failure::ResourceNotFound(format!("CloudHSM cluster {id} does not exist in {region}.")))
            }
        }
    }

    /// A backup of a region, also one that is to be deleted.
    pub(super) fn backup(&self, region: &Region, id: &BackupId) -> Result<&Backup, Failure> {
        let found = self.backups.get(id).filter(|backup| backup.region == *region);
        found.ok_or_else(|| {
            Failure::ResourceNotFound(format!("CloudHSM backup {id} does not exist in {region}."))
        })
    }
}
