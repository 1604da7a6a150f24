//! An AWS account in a folder: its clusters in all regions, HSMs that run in this process, and backups.
//!
//! `core` has the state, which a `file` keeps, and the turn of each call. A call does its work first, and then makes it
//! count with one commit: if it is cut before that, the next start removes what no state mentions; after it, nothing is
//! left to do but to remove. The operations are in `clusters`, `owner`, `members` (HSMs), `backups` and `tags`; `net` and
//! `ports` say where HSMs listen; `view` describes what they change, `paging` divides lists. `hsms` are those that run,
//! `upkeep` is what happens by itself.

mod backups;
mod clusters;
mod core;
mod file;
mod hsms;
mod ids;
mod members;
mod net;
mod owner;
mod paging;
mod ports;
mod state;
mod tags;
mod upkeep;
mod view;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::hsmd::keeping::settings::HashCost;
use crate::hsmd::serving::clock::Clock;
use crate::hsmd::watching::metrics::page::{self, Waiting};
use crate::hsmd::watching::probe::look_at;
use crate::protocol::message::PORT;
use crate::service::failure::Failure;
use crate::service::shapes::backup::{
    BackupOutput, CopyBackupToRegion, CopyBackupToRegionOutput, DescribeBackups, DescribeBackupsOutput,
    ModifyBackupAttributes, WhichBackup,
};
use crate::service::shapes::cluster::{
    ClusterOutput, CreateCluster, DeleteCluster, DescribeClusters, DescribeClustersOutput, InitializeCluster,
    InitializeClusterOutput, ModifyCluster,
};
use crate::service::shapes::hsm::{CreateHsm, CreateHsmOutput, DeleteHsm, DeleteHsmOutput};
use crate::service::shapes::names::{BackupId, ClusterId, HsmId, Region};
use crate::service::shapes::policy::{GetResourcePolicyOutput, PolicyOutput, PutResourcePolicy, WhichPolicy};
use crate::service::shapes::tag::{ListTags, ListTagsOutput, Nothing, TagResource, UntagResource};

use self::core::Core;
use self::file::Places;

pub use self::file::OpenError;
pub use self::ports::Ports;

/// A handle to the account; clones lead to the same one.
#[derive(Clone)]
pub struct Account(Arc<Core>);

/// How an account is opened.
#[derive(Clone)]
pub struct Options {
    /// How long each state in progress lasts.
    pub pace: Duration,
    /// The port of all HSMs.
    pub port: u16,
    /// Where other machines reach HSMs, if at all.
    pub ports: Option<Ports>,
    /// For new HSMs.
    pub password_hash: HashCost,
    /// Tests set it ahead.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        let (password_hash, clock) = (HashCost::default(), Clock::default());
        Self { pace: Duration::ZERO, port: PORT, ports: None, password_hash, clock }
    }
}

/// Whether everything that should run does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Well,
    /// A line for each trouble, each with a line end.
    Troubles(String),
}

impl Account {
    /// Opens the account in a folder, which is made if it is missing, and starts its HSMs. A call that was cut is finished
    /// or undone. An HSM that does not start is shown as DEGRADED and tried again.
    ///
    /// # Errors
    ///
    /// If the folder cannot be used, or another process uses it.
    pub async fn open(dir: &Path, options: Options) -> Result<Self, OpenError> {
        let (places, state, lock) = Places::take(dir)?;
        let core = Arc::new(Core::new(places, options, state, lock));
        core.recover().await.map_err(|failure| OpenError::Damaged(dir.to_owned(), failure.to_string()))?;
        tokio::spawn(Arc::clone(&core).keep_up());
        Ok(Self(core))
    }

    /// Stops all HSMs, after the call that is under way. Every acknowledged change is stored.
    pub async fn close(self) {
        let core = Arc::clone(&self.0);
        // It fails only if it is closed already.
        let _ = self
            .0
            .whole(async move {
                core.close().await;
                Ok(())
            })
            .await;
    }

    /// For `GET /health`. A cluster without an owner is no trouble: it waits for one.
    pub async fn health(&self) -> Health {
        let (running, mut troubles) = self.0.units.look();
        troubles.push(page::troubles(&look_at(&running).await, Waiting::IsWell));
        let troubles = troubles.concat();
        if troubles.is_empty() { Health::Well } else { Health::Troubles(troubles) }
    }

    /// For `GET /metrics`: a page in the OpenMetrics text format, of all HSMs that run.
    ///
    /// # Errors
    ///
    /// If it cannot be formatted.
    pub async fn metrics(&self) -> Result<String, fmt::Error> {
        page::metrics(look_at(&self.0.units.look().0).await)
    }

    /// For `GET /metrics`, too: how many HSMs are ACTIVE, and how many DEGRADED.
    #[must_use]
    pub fn hsms(&self) -> (usize, usize) {
        self.0.units.count()
    }

    /// Ends an HSM as a fault would, so that it is seen how it comes back.
    pub fn abort(&self, hsm: &HsmId) {
        self.0.units.abort(hsm);
    }

    /// Makes a backup of a cluster's newest HSM now; the API has no operation for that.
    ///
    /// # Errors
    ///
    /// If there is no such cluster, or it has nothing to back up.
    pub async fn back_up(&self, cluster: ClusterId) -> Result<BackupId, Failure> {
        self.0.whole(Arc::clone(&self.0).back_up_on_request(cluster)).await
    }

    /// `CopyBackupToRegion`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn copy_backup_to_region(
        &self,
        region: &Region,
        input: CopyBackupToRegion,
    ) -> Result<CopyBackupToRegionOutput, Failure> {
        self.0.whole(Arc::clone(&self.0).copy_backup_to_region(region.clone(), input)).await
    }

    /// `CreateCluster`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn create_cluster(
        &self,
        region: &Region,
        input: CreateCluster,
    ) -> Result<ClusterOutput, Failure> {
        self.0.whole(Arc::clone(&self.0).create_cluster(region.clone(), input)).await
    }

    /// `CreateHsm`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn create_hsm(&self, region: &Region, input: CreateHsm) -> Result<CreateHsmOutput, Failure> {
        self.0.whole(Arc::clone(&self.0).create_hsm(region.clone(), input)).await
    }

    /// `DeleteBackup`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn delete_backup(&self, region: &Region, input: WhichBackup) -> Result<BackupOutput, Failure> {
        self.0.whole(Arc::clone(&self.0).delete_backup(region.clone(), input)).await
    }

    /// `DeleteCluster`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn delete_cluster(
        &self,
        region: &Region,
        input: DeleteCluster,
    ) -> Result<ClusterOutput, Failure> {
        self.0.whole(Arc::clone(&self.0).delete_cluster(region.clone(), input)).await
    }

    /// `DeleteHsm`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn delete_hsm(&self, region: &Region, input: DeleteHsm) -> Result<DeleteHsmOutput, Failure> {
        self.0.whole(Arc::clone(&self.0).delete_hsm(region.clone(), input)).await
    }

    /// `DeleteResourcePolicy`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn delete_resource_policy(
        &self,
        region: &Region,
        input: WhichPolicy,
    ) -> Result<PolicyOutput, Failure> {
        self.0.whole(Arc::clone(&self.0).delete_resource_policy(region.clone(), input)).await
    }

    /// `DescribeBackups`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn describe_backups(
        &self,
        region: &Region,
        input: DescribeBackups,
    ) -> Result<DescribeBackupsOutput, Failure> {
        self.0.describe_backups(region, &input)
    }

    /// `DescribeClusters`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn describe_clusters(
        &self,
        region: &Region,
        input: DescribeClusters,
    ) -> Result<DescribeClustersOutput, Failure> {
        self.0.describe_clusters(region, input).await
    }

    /// `GetResourcePolicy`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn get_resource_policy(
        &self,
        region: &Region,
        input: WhichPolicy,
    ) -> Result<GetResourcePolicyOutput, Failure> {
        self.0.get_resource_policy(region, input)
    }

    /// `InitializeCluster`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn initialize_cluster(
        &self,
        region: &Region,
        input: InitializeCluster,
    ) -> Result<InitializeClusterOutput, Failure> {
        self.0.whole(Arc::clone(&self.0).initialize_cluster(region.clone(), input)).await
    }

    /// `ListTags`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn list_tags(&self, region: &Region, input: ListTags) -> Result<ListTagsOutput, Failure> {
        self.0.list_tags(region, &input)
    }

    /// `ModifyBackupAttributes`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn modify_backup_attributes(
        &self,
        region: &Region,
        input: ModifyBackupAttributes,
    ) -> Result<BackupOutput, Failure> {
        self.0.whole(Arc::clone(&self.0).modify_backup_attributes(region.clone(), input)).await
    }

    /// `ModifyCluster`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn modify_cluster(
        &self,
        region: &Region,
        input: ModifyCluster,
    ) -> Result<ClusterOutput, Failure> {
        self.0.whole(Arc::clone(&self.0).modify_cluster(region.clone(), input)).await
    }

    /// `PutResourcePolicy`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn put_resource_policy(
        &self,
        region: &Region,
        input: PutResourcePolicy,
    ) -> Result<PolicyOutput, Failure> {
        self.0.whole(Arc::clone(&self.0).put_resource_policy(region.clone(), input)).await
    }

    /// `RestoreBackup`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn restore_backup(&self, region: &Region, input: WhichBackup) -> Result<BackupOutput, Failure> {
        self.0.whole(Arc::clone(&self.0).restore_backup(region.clone(), input)).await
    }

    /// `TagResource`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn tag_resource(&self, region: &Region, input: TagResource) -> Result<Nothing, Failure> {
        self.0.whole(Arc::clone(&self.0).tag_resource(region.clone(), input)).await
    }

    /// `UntagResource`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn untag_resource(&self, region: &Region, input: UntagResource) -> Result<Nothing, Failure> {
        self.0.whole(Arc::clone(&self.0).untag_resource(region.clone(), input)).await
    }
}
