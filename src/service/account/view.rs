//! How clusters, HSMs and backups are described to clients.

use std::fs;
use std::path::Path;

use super::core::Core;
use super::state::{Backup, Cluster, Hsm, Phase, Step, Tags};
use crate::hsm::FIRST_PASSWORD;
use crate::hsmd::keeping::folder::{CSR, HARDWARE, HARDWARE_SIGNED};
use crate::service::failure::Failure;
use crate::service::shapes::backup::{self, BackupRetentionPolicy, BackupRetentionType, BackupState};
use crate::service::shapes::cluster::{self, Certificates, ClusterState, NetworkType};
use crate::service::shapes::hsm::{self, HsmState};
use crate::service::shapes::names::{
    BackupId, BackupRetentionValue, ClusterId, HsmId, IpAddress, IpV6Address, Region,
};
use crate::service::shapes::tag::Tag;
use crate::service::shapes::timestamp::Timestamp;

/// All resources here belong to this account.
pub(super) const ACCOUNT: &str = "000000000000";

/// The moment of which something is described.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: u64,
    pub(super) pace: u64,
}

impl Moment {
    /// Whether what began at a time goes on: at least for the answer to the call that began it.
    fn is_during(self, began: u64) -> bool {
        self.now <= began || self.now < began.saturating_add(self.pace)
    }
}

impl Cluster {
    pub(super) fn state(&self, moment: Moment) -> ClusterState {
        let (step, began) = self.step;
        match (step, self.phase) {
            (Step::Create, _) if moment.is_during(began) => ClusterState::CreateInProgress,
            (Step::Initialize, _) if moment.is_during(began) => ClusterState::InitializeInProgress,
            (Step::Modify, _) if moment.is_during(began) => ClusterState::ModifyInProgress,
            (Step::RollBack, _) if moment.is_during(began) => ClusterState::RollbackInProgress,
            (Step::Delete, _) if moment.is_during(began) => ClusterState::DeleteInProgress,
            (_, Phase::Uninitialized) => ClusterState::Uninitialized,
            (_, Phase::Initialized) => ClusterState::Initialized,
            (_, Phase::Active) => ClusterState::Active,
            (_, Phase::Deleted) => ClusterState::Deleted,
        }
    }
}

impl Core {
    pub(super) fn moment(&self) -> Moment {
        Moment { now: self.now(), pace: self.pace() }
    }

    pub(super) fn describe_cluster(
        &self,
        id: &ClusterId,
        cluster: &Cluster,
        moment: Moment,
    ) -> Result<cluster::Cluster, Failure> {
        let state = cluster.state(moment);
        let hsms =
            cluster.hsms.iter().map(|(hsm_id, hsm)| self.describe_hsm(id, cluster, (hsm_id, hsm), moment));
        let hsms = hsms.collect::<Result<Vec<_>, _>>()?;
        let rollback = cluster.rollback.as_ref().filter(|rollback| moment.now < rollback.until);
        Ok(cluster::Cluster {
            backup_policy: "DEFAULT",
            backup_retention_policy: BackupRetentionPolicy {
                kind: Some(BackupRetentionType::Days),
                value: Some(parse(&cluster.retention_days.to_string(), BackupRetentionValue::parse)?),
            },
            cluster_id: id.clone(),
            create_timestamp: Timestamp(cluster.created),
            certificates: self.certificates(id, cluster, &hsms),
            hsms,
            hsm_type: cluster.hsm_type.clone(),
            hsm_type_rollback_expiration: rollback.map(|rollback| Timestamp(rollback.until)),
            pre_co_password: matches!(cluster.phase, Phase::Uninitialized | Phase::Initialized)
                .then_some(FIRST_PASSWORD),
            security_group: cluster.security_group.clone(),
            source_backup_id: cluster.source.clone(),
            state,
            state_message: state_message(state).map(str::to_owned),
            subnet_mapping: cluster.subnets.clone(),
            vpc_id: vpc(&cluster.region),
            network_type: cluster.network_type,
            tag_list: tags(&cluster.tags),
            mode: Some(cluster.mode),
        })
    }

    /// Those of the first HSM that runs; the CSR only as long as it is to be signed.
    fn certificates(&self, id: &ClusterId, cluster: &Cluster, hsms: &[hsm::Hsm]) -> Certificates {
        let cluster_certificate = cluster.certificate.clone();
        let active = hsms.iter().find(|hsm| hsm.state == HsmState::Active);
        let Some(hsm) = active else {
            return Certificates { cluster_certificate, ..Certificates::default() };
        };
        let folder = self.places.hsm(id, &hsm.hsm_id);
        let hardware = read(&folder.join(HARDWARE));
        Certificates {
            cluster_csr: (cluster.phase == Phase::Uninitialized).then(|| read(&folder.join(CSR))).flatten(),
            hsm_certificate: read(&folder.join(HARDWARE_SIGNED)),
            aws_hardware_certificate: hardware.clone(),
            manufacturer_hardware_certificate: hardware,
            cluster_certificate,
        }
    }

    pub(super) fn describe_hsm(
        &self,
        cluster_id: &ClusterId,
        cluster: &Cluster,
        (id, hsm): (&HsmId, &Hsm),
        moment: Moment,
    ) -> Result<hsm::Hsm, Failure> {
        let trouble = self.units.trouble(id);
        let (state, state_message) = match (hsm.deleted, trouble) {
            (Some(_), _) => (HsmState::DeleteInProgress, None),
            (None, _) if moment.is_during(hsm.created) => (HsmState::CreateInProgress, None),
            (None, None) => (HsmState::Active, None),
            (None, Some(trouble)) => (HsmState::Degraded, Some(trouble)),
        };
        let eni_ip_v6 = match cluster.network_type {
            NetworkType::Ipv4 => None,
            // It leads to the same socket. The loopback interface has no other IPv6 addresses to give.
            NetworkType::DualStack => {
                Some(parse(&hsm.address.to_ipv6_mapped().to_string(), IpV6Address::parse)?)
            }
        };
        Ok(hsm::Hsm {
            availability_zone: hsm.zone.clone(),
            cluster_id: cluster_id.clone(),
            subnet_id: hsm.subnet.clone(),
            eni_id: hsm.interface.clone(),
            eni_ip: parse(&hsm.address.to_string(), IpAddress::parse)?,
            eni_ip_v6,
            hsm_id: id.clone(),
            hsm_type: cluster.hsm_type.clone(),
            state,
            state_message,
        })
    }
}

impl Backup {
    pub(super) fn state(&self, moment: Moment) -> BackupState {
        match self.gone_at {
            Some(_) => BackupState::PendingDeletion,
            None if moment.is_during(self.made()) => BackupState::CreateInProgress,
            None => BackupState::Ready,
        }
    }

    pub(super) fn describe(&self, id: &BackupId, moment: Moment) -> backup::Backup {
        let copy = self.copy.as_ref();
        backup::Backup {
            backup_id: id.clone(),
            backup_arn: arn(&self.region, id),
            backup_state: self.state(moment),
            cluster_id: self.cluster.clone(),
            create_timestamp: Timestamp(self.created),
            copy_timestamp: copy.map(|copy| Timestamp(copy.at)),
            never_expires: self.never_expires,
            source_region: copy.map(|copy| copy.region.clone()),
            source_backup: copy.map(|copy| copy.backup.clone()),
            source_cluster: copy.map(|_| self.cluster.clone()),
            delete_timestamp: self.gone_at.map(Timestamp),
            tag_list: tags(&self.tags),
            hsm_type: self.hsm_type.clone(),
            mode: Some(self.mode),
        }
    }
}

/// Of a backup.
pub(super) fn arn(region: &Region, id: &BackupId) -> String {
    let gov = if region.as_str().contains("-gov-") { "-us-gov" } else { "" };
    format!("arn:aws{gov}:cloudhsm:{region}:{ACCOUNT}:backup/{id}")
}

/// There is one in each region.
pub(super) fn vpc(region: &Region) -> String {
    let hash = region.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("vpc-0{hash:016x}")
}

pub(super) fn tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

/// In the words of AWS, where they are known.
fn state_message(state: ClusterState) -> Option<&'static str> {
    match state {
        ClusterState::InitializeInProgress => {
            Some("Cluster is initializing. State will change to INITIALIZED upon completion.")
        }
        ClusterState::CreateInProgress
        | ClusterState::Uninitialized
        | ClusterState::Initialized
        | ClusterState::Active
        | ClusterState::UpdateInProgress
        | ClusterState::ModifyInProgress
        | ClusterState::RollbackInProgress
        | ClusterState::DeleteInProgress
        | ClusterState::Deleted
        | ClusterState::Degraded => None,
    }
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// What is stored follows the model's patterns.
fn parse<T>(text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, Failure> {
    parse(text).map_err(Failure::internal)
}
