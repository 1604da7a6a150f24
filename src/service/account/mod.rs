//! An AWS account in a folder.

use std::path::Path;
use std::time::Duration;

use crate::hsmd::keeping::settings::HashCost;
use crate::hsmd::serving::clock::Clock;
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
use crate::service::shapes::names::Region;
use crate::service::shapes::policy::{GetResourcePolicyOutput, PolicyOutput, PutResourcePolicy, WhichPolicy};
use crate::service::shapes::tag::{ListTags, ListTagsOutput, Nothing, TagResource, UntagResource};

/// A handle to the account; clones lead to the same one.
#[derive(Clone)]
pub struct Account {}

/// How an account is opened.
#[derive(Clone)]
pub struct Options {
    /// How long each state in progress lasts.
    pub pace: Duration,
    /// The port of all HSMs.
    pub port: u16,
    /// For new HSMs.
    pub password_hash: HashCost,
    /// Tests set it ahead.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self { pace: Duration::ZERO, port: PORT, password_hash: HashCost::default(), clock: Clock::default() }
    }
}

/// Why there is no account.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {}

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
    /// or undone.
    ///
    /// # Errors
    ///
    /// If the folder cannot be used, or another process uses it.
    pub async fn open(dir: &Path, options: Options) -> Result<Self, OpenError> {
        let _ = (dir, options);
        Ok(Self {})
    }

    /// Stops all HSMs. Every acknowledged change is stored.
    pub async fn close(self) {}

    /// For `GET /health`.
    pub async fn health(&self) -> Health {
        Health::Well
    }

    /// For `GET /metrics`: a page in the OpenMetrics text format.
    ///
    /// # Errors
    ///
    /// If it cannot be formatted.
    pub async fn metrics(&self) -> Result<String, std::fmt::Error> {
        Ok(String::new())
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
        let _ = (region, input);
        Err(Failure::internal("not built"))
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
        let _ = (region, input);
        Err(Failure::internal("not built"))
    }

    /// `CreateHsm`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn create_hsm(&self, region: &Region, input: CreateHsm) -> Result<CreateHsmOutput, Failure> {
        let _ = (region, input);
        Err(Failure::internal("not built"))
    }

    /// `DeleteBackup`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn delete_backup(&self, region: &Region, input: WhichBackup) -> Result<BackupOutput, Failure> {
        let _ = (region, input);
        Err(Failure::internal("not built"))
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
        let _ = (region, input);
        Err(Failure::internal("not built"))
    }

    /// `DeleteHsm`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn delete_hsm(&self, region: &Region, input: DeleteHsm) -> Result<DeleteHsmOutput, Failure> {
        let _ = (region, input);
        Err(Failure::internal("not built"))
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
        let _ = (region, input);
        Err(Failure::internal("not built"))
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
        let _ = (region, input);
        Err(Failure::internal("not built"))
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
        let _ = (region, input);
        Err(Failure::internal("not built"))
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
        let _ = (region, input);
        Err(Failure::internal("not built"))
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
        let _ = (region, input);
        Err(Failure::internal("not built"))
    }

    /// `ListTags`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn list_tags(&self, region: &Region, input: ListTags) -> Result<ListTagsOutput, Failure> {
        let _ = (region, input);
        Err(Failure::internal("not built"))
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
        let _ = (region, input);
        Err(Failure::internal("not built"))
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
        let _ = (region, input);
        Err(Failure::internal("not built"))
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
        let _ = (region, input);
        Err(Failure::internal("not built"))
    }

    /// `RestoreBackup`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn restore_backup(&self, region: &Region, input: WhichBackup) -> Result<BackupOutput, Failure> {
        let _ = (region, input);
        Err(Failure::internal("not built"))
    }

    /// `TagResource`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn tag_resource(&self, region: &Region, input: TagResource) -> Result<Nothing, Failure> {
        let _ = (region, input);
        Err(Failure::internal("not built"))
    }

    /// `UntagResource`.
    ///
    /// # Errors
    ///
    /// As the model says.
    pub async fn untag_resource(&self, region: &Region, input: UntagResource) -> Result<Nothing, Failure> {
        let _ = (region, input);
        Err(Failure::internal("not built"))
    }
}
