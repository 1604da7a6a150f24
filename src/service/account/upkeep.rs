//! What the account does by itself: it starts HSMs, makes the daily backups, and removes what is gone.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::core::{Core, blocking};
use super::state::{Cluster, DAY, Phase, State};
use crate::service::failure::Failure;
use crate::service::shapes::names::{ClusterId, HsmId};

/// How long an HSM that ended is shown as DEGRADED at least.
const INTERVAL: Duration = Duration::from_secs(1);

impl Core {
    /// Makes the account whole after whatever ended the last process, and starts all HSMs. One that does not start is
    /// tried again later.
    pub(super) async fn recover(&self) -> Result<(), Failure> {
        let state = self
            .commit(|state| {
                self.drop_unmade(state);
                self.complete_initializations(state);
            })
            .await?;
        self.clean().await;
        for id in state.clusters.keys() {
            self.tell_members(id, &state).await;
        }
        self.start_missing(&state).await;
        Ok(())
    }

    /// A commit of which the disk kept more than it had confirmed may name what was undone.
    fn drop_unmade(&self, state: &mut State) {
        let places = self.places.clone();
        for (id, cluster) in &mut state.clusters {
            cluster.hsms.retain(|hsm, _| is_there(&places.hsm(id, hsm)));
        }
        state.backups.retain(|id, _| is_there(&places.backup(id)));
    }

    /// Until the account is closed.
    pub(super) async fn keep_up(self: Arc<Self>) {
        let closing = self.closing.clone();
        while closing.run_until_cancelled(sleep(INTERVAL)).await.is_some() {
            let core = Arc::clone(&self);
            if let Err(error) = self.whole(async move { core.tend().await }).await
                && !closing.is_cancelled()
            {
                tracing::warn!(%error, "the account's upkeep failed and is tried again");
            }
        }
    }

    async fn tend(&self) -> Result<(), Failure> {
        let mut state = self.state();
        self.start_missing(&state).await;
        self.complete_initializations(&mut state);
        if *self.stored() != state {
            self.commit(|state| self.complete_initializations(state)).await?;
        }
        self.clean().await;
        self.back_up_daily(&state).await
    }

    async fn start_missing(&self, state: &State) {
        let all =
            state.clusters.iter().flat_map(|(id, cluster)| cluster.hsms.iter().map(move |hsm| (id, hsm)));
        let missing: Vec<_> = all
            .filter(|(_, (hsm_id, hsm))| hsm.deleted.is_none() && self.units.trouble(hsm_id).is_some())
            .map(|(id, (hsm_id, _))| (id, hsm_id))
            .collect();
        for (id, hsm_id) in missing {
            self.start_again(id, hsm_id).await;
        }
    }

    pub(super) async fn start_again(&self, cluster: &ClusterId, id: &HsmId) {
        let folder = self.places.hsm(cluster, id);
        let before = self.units.trouble(id);
        // What is left of one that ended has the store open.
        self.units.stop(id).await;
        let started = self.units.start(id, &folder).await;
        self.units.follow_keys(cluster, id);
        if let Err(reason) = started
            && before != self.units.trouble(id)
        {
            tracing::error!(hsm_id = %id, reason, "the HSM does not start, and is tried again");
        }
    }

    async fn back_up_daily(&self, state: &State) -> Result<(), Failure> {
        let now = self.now();
        let is_due = |(id, cluster): &(&ClusterId, &Cluster)| {
            let last = state.last_backup(id).map_or(cluster.created, |(_, backup)| backup.created);
            matches!(cluster.phase, Phase::Initialized | Phase::Active) && now > last.saturating_add(DAY)
        };
        for (id, cluster) in state.clusters.iter().filter(is_due) {
            if let Some(backup) = self.back_up_newest(id, cluster).await? {
                tracing::info!(cluster = %id, %backup, "daily backup");
            }
        }
        Ok(())
    }

    /// Removes the files of what is gone, in a turn.
    pub(super) async fn clean(&self) {
        let (places, state) = (self.places.clone(), self.stored());
        let cleaned = blocking(move || {
            places.remove_orphans(&state);
            Ok(())
        });
        if let Err(error) = cleaned.await {
            tracing::warn!(%error, "what is deleted is still there");
        }
    }
}

fn is_there(path: &Path) -> bool {
    let exists = path.exists();
    if !exists {
        tracing::error!(path = %path.display(), "is missing, and with it what the account knew of it");
    }
    exists
}
