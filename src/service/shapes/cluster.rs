//! Clusters as the service describes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::backup::BackupRetentionPolicy;
use super::bounds::{Filters, List, UpTo};
use super::hsm::Hsm;
use super::names::{AvailabilityZone, BackupArn, BackupId, Cert, ClusterId, HsmType, NextToken, SubnetId};
use super::tag::{Tag, TagList};
use super::timestamp::Timestamp;

/// What a cluster does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the model's names")]
pub enum ClusterState {
    CreateInProgress,
    Uninitialized,
    InitializeInProgress,
    Initialized,
    Active,
    UpdateInProgress,
    ModifyInProgress,
    RollbackInProgress,
    DeleteInProgress,
    Deleted,
    Degraded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the model's names")]
pub enum ClusterMode {
    Fips,
    NonFips,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the model's names")]
pub enum NetworkType {
    #[default]
    #[serde(rename = "IPV4")]
    Ipv4,
    #[serde(rename = "DUALSTACK")]
    DualStack,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct Cluster {
    /// Always `DEFAULT`.
    pub backup_policy: &'static str,
    pub backup_retention_policy: BackupRetentionPolicy,
    pub cluster_id: ClusterId,
    pub create_timestamp: Timestamp,
    pub hsms: Vec<Hsm>,
    pub hsm_type: HsmType,
    /// Until when the change of type can be undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hsm_type_rollback_expiration: Option<Timestamp>,
    /// Until it was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_co_password: Option<&'static str>,
    pub security_group: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_backup_id: Option<BackupId>,
    pub state: ClusterState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_message: Option<String>,
    pub subnet_mapping: BTreeMap<AvailabilityZone, SubnetId>,
    pub vpc_id: String,
    pub network_type: NetworkType,
    pub certificates: Certificates,
    pub tag_list: Vec<Tag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<ClusterMode>,
}

/// All in PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct Certificates {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_csr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hsm_certificate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_hardware_certificate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer_hardware_certificate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_certificate: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct CreateCluster {
    pub backup_retention_policy: Option<BackupRetentionPolicy>,
    pub hsm_type: HsmType,
    pub source_backup_id: Option<BackupArn>,
    pub subnet_ids: List<SubnetId, 10>,
    pub network_type: Option<NetworkType>,
    pub tag_list: Option<TagList>,
    pub mode: Option<ClusterMode>,
}

/// Of `CreateCluster`, `ModifyCluster` and `DeleteCluster`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct ClusterOutput {
    pub cluster: Cluster,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct DescribeClusters {
    pub filters: Option<Filters>,
    pub next_token: Option<NextToken>,
    pub max_results: Option<UpTo<25>>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct DescribeClustersOutput {
    pub clusters: Vec<Cluster>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct InitializeCluster {
    pub cluster_id: ClusterId,
    pub signed_cert: Cert,
    pub trust_anchor: Cert,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct InitializeClusterOutput {
    pub state: ClusterState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_message: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct ModifyCluster {
    pub cluster_id: ClusterId,
    pub hsm_type: Option<HsmType>,
    pub backup_retention_policy: Option<BackupRetentionPolicy>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct DeleteCluster {
    pub cluster_id: ClusterId,
}
