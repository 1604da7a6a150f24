//! The operations on backups, and the backups that the account makes itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::clusters::{must_be_ready, name_of, unknown_filter};
use super::core::{Core, blocking};
use super::ids::fresh;
use super::members::add_backup;
use super::paging::{Place, page};
use super::state::{self, Cluster, Copied, DAY, Phase, State};
use super::tags::to_tags;
use crate::hsmd::keeping::private_files::replace;
use crate::hsmd::making::backup::{Backup, key_file};
use crate::service::failure::Failure;
use crate::service::shapes::backup::{
    BackupOutput, BackupState, CopyBackupToRegion, CopyBackupToRegionOutput, DescribeBackups,
    DescribeBackupsOutput, DestinationBackup, ModifyBackupAttributes, WhichBackup,
};
use crate::service::shapes::bounds::{Filters, UpTo};
use crate::service::shapes::names::{BackupId, ClusterId, HsmId, Region};
use crate::service::shapes::timestamp::Timestamp;

/// A deleted backup can be restored for so long.
const RESTORABLE: u64 = 7 * DAY;

/// A backup's file and its key's, as they are.
pub(super) struct Copies {
    sealed: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Copies {
    pub(super) fn of(backup: &Path) -> Result<Self, Failure> {
        let read = |path: PathBuf| {
            fs::read(&path).map_err(|error| Failure::internal(format!("{}: {error}", path.display())))
        };
        Ok(Self { sealed: read(backup.to_owned())?, key: Zeroizing::new(read(key_file(backup))?) })
    }

    pub(super) fn write(&self, backup: &Path) -> Result<(), Failure> {
        replace(&key_file(backup), &self.key).map_err(Failure::internal)?;
        replace(backup, &self.sealed).map_err(Failure::internal)
    }
}

/// Reads a backup, whose key is beside it.
pub(super) fn read_backup(path: &Path) -> Result<Backup, Failure> {
    Backup::read(path, &key_file(path)).map_err(Failure::internal)
}

impl Core {
    /// Makes a backup of an HSM's folder, of its state now if it runs. Its file counts once its record is committed.
    pub(super) async fn back_up(
        &self,
        state: &State,
        (cluster_id, cluster): (&ClusterId, &Cluster),
        hsm: &HsmId,
    ) -> Result<(BackupId, state::Backup, Backup), Failure> {
        let id: BackupId = fresh(state, "backup-")?;
        let (folder, path) = (self.places.hsm(cluster_id, hsm), self.places.backup(&id));
        let running = self.units.snapshot(hsm).await;
        let made = blocking(move || {
            let made = match running {
                Some(hsm) => Backup::with(&folder, hsm),
                None => Backup::of(&folder),
            };
            let backup = made.map_err(Failure::internal)?;
            backup.write(&path, &key_file(&path)).map_err(Failure::internal)?;
            Ok(backup)
        });
        let backup = made.await?;
        if cluster.phase == Phase::Initialized && backup.hsm.is_activated() {
            // Nobody may have looked since, and the HSM may go.
            self.activate(cluster_id).await;
        }
        let record = state::Backup {
            region: cluster.region.clone(),
            cluster: cluster_id.clone(),
            family: cluster.family.clone(),
            created: self.now(),
            copy: None,
            never_expires: false,
            gone_at: None,
            tags: cluster.tags.clone(),
            hsm_type: cluster.hsm_type.clone(),
            mode: cluster.mode,
            policy: None,
        };
        Ok((id, record, backup))
    }

    /// Of the HSM that was managed last; `None` if the cluster has no HSM.
    pub(super) async fn back_up_newest(
        &self,
        id: &ClusterId,
        cluster: &Cluster,
    ) -> Result<Option<BackupId>, Failure> {
        let Some(hsm) = self.newest(id, cluster).await else { return Ok(None) };
        let (backup_id, record, _) = self.back_up(&self.state(), (id, cluster), &hsm).await?;
        self.commit(|state| add_backup(state, Some((backup_id.clone(), record)))).await?;
        Ok(Some(backup_id))
    }

    pub(super) async fn back_up_on_request(self: Arc<Self>, id: ClusterId) -> Result<BackupId, Failure> {
        let state = self.state();
        let found = state.clusters.get(&id).filter(|cluster| cluster.phase != Phase::Deleted);
        let not_found = || Failure::ResourceNotFound(format!("CloudHSM cluster {id} does not exist."));
        let cluster = found.ok_or_else(not_found)?;
        self.must_be_still(&id, cluster)?;
        if cluster.phase == Phase::Uninitialized {
            return Err(Failure::InvalidRequest(format!("Cluster {id} is not initialized.")));
        }
        let made = self.back_up_newest(&id, cluster).await?;
        made.ok_or_else(|| {
            let reason =
                format!("Cluster {id} has no HSM; the backup of its last one is in DescribeBackups.");
            Failure::InvalidRequest(reason)
        })
    }

    pub(super) async fn copy_backup_to_region(
        self: Arc<Self>,
        region: Region,
        input: CopyBackupToRegion,
    ) -> Result<CopyBackupToRegionOutput, Failure> {
        let (state, now) = (self.state(), self.now());
        let source = state.backup(&region, &input.backup_id)?;
        must_be_ready(&input.backup_id, source.state(self.moment()))?;
        if input.destination_region == region {
            return Err(Failure::InvalidRequest(format!("The backup is in {region} already.")));
        }
        let tags = to_tags(input.tag_list)?.unwrap_or_else(|| source.tags.clone());
        let id: BackupId = fresh(&state, "backup-")?;
        let (from, to) = (self.places.backup(&input.backup_id), self.places.backup(&id));
        blocking(move || Copies::of(&from)?.write(&to)).await?;
        let copy = Copied { at: now, region: region.clone(), backup: input.backup_id.clone() };
        let (never_expires, gone_at, policy) = (false, None, None);
        let region = input.destination_region;
        let backup = state::Backup {
            region,
            copy: Some(copy),
            never_expires,
            gone_at,
            tags,
            policy,
            ..source.clone()
        };
        self.commit(|state| {
            state.used.insert(id.to_string());
            state.backups.insert(id, backup);
        })
        .await?;
        let destination_backup = DestinationBackup {
            create_timestamp: Timestamp(source.created),
            source_region: source.region.clone(),
            source_backup: input.backup_id,
            source_cluster: source.cluster.clone(),
        };
        Ok(CopyBackupToRegionOutput { destination_backup })
    }

    pub(super) fn describe_backups(
        &self,
        region: &Region,
        input: &DescribeBackups,
    ) -> Result<DescribeBackupsOutput, Failure> {
        let (state, moment) = (self.state(), self.moment());
        let is_shown = |backup: &&state::Backup| backup.region == *region && input.shared != Some(true);
        let mut found: Vec<_> = state.backups.iter().filter(|(_, backup)| is_shown(backup)).collect();
        for (field, values) in input.filters.iter().flat_map(Filters::iter) {
            let is_any = |text: &str| values.iter().any(|value| value == text);
            let is_wanted: &dyn Fn(&(&BackupId, &state::Backup)) -> bool = match field {
                "backupIds" => &|(id, _)| is_any(id.as_str()),
                "sourceBackupIds" => {
                    &|(_, backup)| backup.copy.as_ref().is_some_and(|copy| is_any(copy.backup.as_str()))
                }
                "clusterIds" => &|(_, backup)| is_any(backup.cluster.as_str()),
                "states" => &|(_, backup)| is_any(&name_of(&backup.state(moment))),
                "neverExpires" => &|(_, backup)| is_any(if backup.never_expires { "true" } else { "false" }),
                _ => {
                    let known = "backupIds, sourceBackupIds, clusterIds, states, neverExpires";
                    return Err(unknown_filter(field, known));
                }
            };
            found.retain(is_wanted);
        }
        let place = match input.sort_ascending {
            Some(true) => Place::oldest_first,
            Some(false) | None => Place::newest_first,
        };
        let found = found.into_iter().map(|(id, backup)| (place(backup.created, id), (id, backup)));
        let (shown, next_token) =
            page(found.collect(), input.next_token.as_ref(), input.max_results.map_or(50, UpTo::get))?;
        let backups = shown.into_iter().map(|(id, backup)| backup.describe(id, moment)).collect();
        Ok(DescribeBackupsOutput { backups, next_token })
    }

    pub(super) async fn delete_backup(
        self: Arc<Self>,
        region: Region,
        input: WhichBackup,
    ) -> Result<BackupOutput, Failure> {
        let gone_at = self.now().saturating_add(RESTORABLE);
        must_be_ready(&input.backup_id, self.backup_state(&region, &input.backup_id)?)?;
        self.set_backup(&region, &input.backup_id, |backup| backup.gone_at = Some(gone_at)).await
    }

    pub(super) async fn restore_backup(
        self: Arc<Self>,
        region: Region,
        input: WhichBackup,
    ) -> Result<BackupOutput, Failure> {
        let id = input.backup_id;
        match self.backup_state(&region, &id)? {
            BackupState::PendingDeletion => {
                self.set_backup(&region, &id, |backup| backup.gone_at = None).await
            }
            state @ (BackupState::Ready | BackupState::CreateInProgress | BackupState::Deleted) => {
                let reason = format!("Backup {id} is in state {}, not PENDING_DELETION.", name_of(&state));
                Err(Failure::InvalidRequest(reason))
            }
        }
    }

    pub(super) async fn modify_backup_attributes(
        self: Arc<Self>,
        region: Region,
        input: ModifyBackupAttributes,
    ) -> Result<BackupOutput, Failure> {
        must_be_ready(&input.backup_id, self.backup_state(&region, &input.backup_id)?)?;
        let never_expires = input.never_expires;
        self.set_backup(&region, &input.backup_id, |backup| backup.never_expires = never_expires).await
    }

    fn backup_state(&self, region: &Region, id: &BackupId) -> Result<BackupState, Failure> {
        Ok(self.state().backup(region, id)?.state(self.moment()))
    }

    async fn set_backup(
        &self,
        region: &Region,
        id: &BackupId,
        change: impl FnOnce(&mut state::Backup),
    ) -> Result<BackupOutput, Failure> {
        let state = self
            .commit(|state| {
                if let Some(backup) = state.backups.get_mut(id) {
                    change(backup);
                }
            })
            .await?;
        Ok(BackupOutput { backup: state.backup(region, id)?.describe(id, self.moment()) })
    }
}
