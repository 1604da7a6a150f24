//! What the account knows, as it is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::service::shapes::cluster::{ClusterMode, NetworkType};
use crate::service::shapes::names::{
    AvailabilityZone, BackupId, ClusterId, EniId, HsmId, HsmType, Region, ResourcePolicy, SubnetId, TagKey,
    TagValue,
};

/// Everything but the HSMs' own folders and the backups' files. Times are microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) version: u32,
    /// Every id that was ever given: none is given twice.
    pub(super) used: BTreeSet<String>,
    pub(super) clusters: BTreeMap<ClusterId, Cluster>,
    pub(super) backups: BTreeMap<BackupId, Backup>,
    /// The next node id of each clone family, which is named after its first cluster: two HSMs of a family with the same
    /// one would give the same handle to different keys.
    pub(super) nodes: BTreeMap<ClusterId, u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cluster {
    pub(super) region: Region,
    pub(super) created: u64,
    pub(super) phase: Phase,
    /// What was done last, and when.
    pub(super) step: (Step, u64),
    pub(super) retention_days: u16,
    pub(super) hsm_type: HsmType,
    /// From the old type to a new one: until when that can be undone.
    pub(super) rollback: Option<Rollback>,
    pub(super) mode: ClusterMode,
    pub(super) network_type: NetworkType,
    pub(super) security_group: String,
    pub(super) subnets: BTreeMap<AvailabilityZone, SubnetId>,
    pub(super) source: Option<BackupId>,
    /// The certificate that the owner's CA made, in PEM.
    pub(super) certificate: Option<String>,
    pub(super) tags: Tags,
    pub(super) family: ClusterId,
    /// Its HSMs have addresses in 127.`net`.0.0.
    pub(super) net: u8,
    pub(super) hsms: BTreeMap<HsmId, Hsm>,
}

pub(super) type Tags = BTreeMap<TagKey, TagValue>;

/// Where a cluster is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    Uninitialized,
    Initialized,
    Active,
    Deleted,
}

/// What takes a while at AWS, and as long here as `--pace` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Step {
    Create,
    Initialize,
    Modify,
    RollBack,
    Delete,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rollback {
    pub(super) hsm_type: HsmType,
    pub(super) until: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hsm {
    pub(super) zone: AvailabilityZone,
    pub(super) subnet: SubnetId,
    pub(super) interface: EniId,
    pub(super) address: Ipv4Addr,
    pub(super) node_id: u32,
    pub(super) created: u64,
    /// When it was stopped for good.
    pub(super) deleted: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Backup {
    pub(super) region: Region,
    pub(super) cluster: ClusterId,
    pub(super) family: ClusterId,
    pub(super) created: u64,
    pub(super) copy: Option<Copied>,
    pub(super) never_expires: bool,
    /// When it will be gone, if it was deleted.
    pub(super) gone_at: Option<u64>,
    pub(super) tags: Tags,
    pub(super) hsm_type: HsmType,
    pub(super) mode: ClusterMode,
    pub(super) policy: Option<ResourcePolicy>,
}

/// Where a copy comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Copied {
    pub(super) at: u64,
    pub(super) region: Region,
    pub(super) backup: BackupId,
}

/// Of the file.
pub(super) const VERSION: u32 = 1;

/// For so long a deleted cluster is still described.
const REMEMBERED: u64 = 60 * 60 * 1_000_000;

pub(super) const DAY: u64 = 24 * 60 * 60 * 1_000_000;

/// Of backups whose cluster is gone, too.
pub(super) const RETENTION_DAYS: u16 = 90;

impl Default for State {
    fn default() -> Self {
        Self {
            version: VERSION,
            used: BTreeSet::default(),
            clusters: BTreeMap::default(),
            backups: BTreeMap::default(),
            nodes: BTreeMap::default(),
        }
    }
}

impl State {
    /// This state without what is gone by now.
    pub(super) fn at(&self, now: u64, pace: u64) -> Self {
        let mut state = self.clone();
        for cluster in state.clusters.values_mut() {
            cluster.hsms.retain(|_, hsm| hsm.deleted.is_none_or(|since| now <= since.saturating_add(pace)));
        }
        let remembered = |step: (Step, u64)| now <= step.1.saturating_add(pace).saturating_add(REMEMBERED);
        state.clusters.retain(|_, cluster| cluster.phase != Phase::Deleted || remembered(cluster.step));
        state.backups.retain(|id, backup| !self.is_gone(id, backup, now));
        state
    }

    fn is_gone(&self, id: &BackupId, backup: &Backup, now: u64) -> bool {
        match backup.gone_at {
            Some(at) => at <= now,
            None if backup.never_expires => false,
            None => now > self.expires(backup) && !self.is_last(id, backup),
        }
    }

    fn expires(&self, backup: &Backup) -> u64 {
        let cluster = self.clusters.get(&backup.cluster);
        let days = cluster.map_or(RETENTION_DAYS, |cluster| cluster.retention_days);
        backup.made().saturating_add(u64::from(days).saturating_mul(DAY))
    }

    /// As at AWS, the last backup of a cluster does not expire.
    fn is_last(&self, id: &BackupId, backup: &Backup) -> bool {
        let is_alive =
            self.clusters.get(&backup.cluster).is_some_and(|cluster| cluster.phase != Phase::Deleted);
        is_alive && self.last_backup(&backup.cluster).is_some_and(|(last, _)| last == id)
    }

    /// The newest backup of a cluster that is not deleted; copies do not count.
    pub(super) fn last_backup(&self, cluster: &ClusterId) -> Option<(&BackupId, &Backup)> {
        let of_it = |(_, backup): &(&BackupId, &Backup)| {
            backup.cluster == *cluster && backup.copy.is_none() && backup.gone_at.is_none()
        };
        self.backups.iter().filter(of_it).max_by_key(|(_, backup)| backup.created)
    }
}

impl Backup {
    /// When this one was made, be it as a copy.
    pub(super) fn made(&self) -> u64 {
        self.copy.as_ref().map_or(self.created, |copy| copy.at)
    }
}
