//! Backups as the service describes them.

use serde::{Deserialize, Serialize};

use super::bounds::{Filters, UpTo};
use super::cluster::ClusterMode;
use super::names::{BackupId, BackupRetentionValue, ClusterId, HsmType, NextToken, Region};
use super::tag::{Tag, TagList};
use super::timestamp::Timestamp;

/// What becomes of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the model's names")]
pub enum BackupState {
    CreateInProgress,
    Ready,
    Deleted,
    PendingDeletion,
}

/// How long backups are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct BackupRetentionPolicy {
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<BackupRetentionType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<BackupRetentionValue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the model's names")]
pub enum BackupRetentionType {
    Days,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct Backup {
    pub backup_id: BackupId,
    pub backup_arn: String,
    pub backup_state: BackupState,
    pub cluster_id: ClusterId,
    pub create_timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy_timestamp: Option<Timestamp>,
    pub never_expires: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_region: Option<Region>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_backup: Option<BackupId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_cluster: Option<ClusterId>,
    /// When it will be gone for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_timestamp: Option<Timestamp>,
    pub tag_list: Vec<Tag>,
    pub hsm_type: HsmType,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<ClusterMode>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct DestinationBackup {
    pub create_timestamp: Timestamp,
    pub source_region: Region,
    pub source_backup: BackupId,
    pub source_cluster: ClusterId,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct DescribeBackups {
    pub next_token: Option<NextToken>,
    pub max_results: Option<UpTo<50>>,
    pub filters: Option<Filters>,
    pub shared: Option<bool>,
    pub sort_ascending: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct DescribeBackupsOutput {
    pub backups: Vec<Backup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct CopyBackupToRegion {
    pub destination_region: Region,
    pub backup_id: BackupId,
    pub tag_list: Option<TagList>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct CopyBackupToRegionOutput {
    pub destination_backup: DestinationBackup,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct ModifyBackupAttributes {
    pub backup_id: BackupId,
    pub never_expires: bool,
}

/// Of `DeleteBackup` and `RestoreBackup`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct WhichBackup {
    pub backup_id: BackupId,
}

/// Of `DeleteBackup`, `RestoreBackup` and `ModifyBackupAttributes`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct BackupOutput {
    pub backup: Backup,
}
