//! The operations on clusters, but for their HSMs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::backups::{Copies, read_backup};
use super::core::{Core, blocking};
use super::file::private_folder;
use super::ids::{fresh, fresh_hex};
use super::net::free_net;
use super::paging::{Place, page};
use super::state::{Backup, Cluster, DAY, Phase, RETENTION_DAYS, Rollback, State, Step};
use super::tags::to_tags;
use super::view::{ACCOUNT, vpc};
use crate::hsmd::keeping::folder::CERTIFICATE;
use crate::service::failure::Failure;
use crate::service::shapes::backup::{BackupRetentionPolicy, BackupState};
use crate::service::shapes::bounds::{Filters, UpTo};
use crate::service::shapes::cluster::{
    ClusterMode, ClusterOutput, CreateCluster, DeleteCluster, DescribeClusters, DescribeClustersOutput,
    ModifyCluster,
};
use crate::service::shapes::names::{
    AvailabilityZone, BackupArn, BackupId, ClusterId, HsmType, Region, SubnetId,
};

/// The types of HSM that the guide knows.
const OLD: &str = "hsm1.medium";
const NEW: &str = "hsm2m.medium";

impl Core {
    pub(super) async fn create_cluster(
        self: Arc<Self>,
        region: Region,
        input: CreateCluster,
    ) -> Result<ClusterOutput, Failure> {
        let state = self.state();
        let id: ClusterId = fresh(&state, "cluster-")?;
        let retention_days = retention(input.backup_retention_policy.as_ref())?.unwrap_or(RETENTION_DAYS);
        let subnets = subnets(&region, input.subnet_ids.into_vec())?;
        let source = match &input.source_backup_id {
            Some(source) => Some(self.source(&state, &region, source)?),
            None => None,
        };
        let mode = mode(&input.hsm_type, input.mode, source.as_ref().map(|(_, backup)| backup))?;
        let tags = to_tags(input.tag_list)?.unwrap_or_default();
        let net = free_net(&state, self.options.port)?;
        let origin = match &source {
            Some((backup_id, backup)) => self.plant(&id, backup_id, &backup.family).await?,
            None => Origin { phase: Phase::Uninitialized, certificate: None, family: id.clone() },
        };
        let now = self.now();
        let cluster = Cluster {
            region,
            created: now,
            phase: origin.phase,
            step: (Step::Create, now),
            retention_days,
            hsm_type: input.hsm_type,
            rollback: None,
            mode,
            network_type: input.network_type.unwrap_or_default(),
            security_group: fresh_hex(&state, "sg-")?,
            subnets,
            source: source.map(|(backup_id, _)| backup_id),
            certificate: origin.certificate,
            tags,
            family: origin.family,
            net,
            hsms: BTreeMap::new(),
        };
        let state = self
            .commit(|state| {
                state.used.extend([id.to_string(), cluster.security_group.clone()]);
                state.clusters.insert(id.clone(), cluster);
            })
            .await?;
        self.cluster_output(&state, &id)
    }

    /// The backup that a cluster is to be made from.
    fn source(
        &self,
        state: &State,
        region: &Region,
        source: &BackupArn,
    ) -> Result<(BackupId, Backup), Failure> {
        let (arn, id) = match source.as_str().rsplit_once('/') {
            Some((arn, id)) => (Some(arn), id),
            None => (None, source.as_str()),
        };
        let id = BackupId::parse(id).map_err(Failure::internal)?;
        let mut parts = arn.into_iter().flat_map(|arn| arn.split(':').skip(3));
        if let (Some(other), Some(account)) = (parts.next(), parts.next()) {
            if account != ACCOUNT {
                let reason =
                    format!("Backup {source} belongs to another account and is not shared with this one.");
                return Err(Failure::AccessDenied(reason));
            }
            if other != region.as_str() {
                let reason =
                    format!("Backup {source} is not in {region}: copy it there with CopyBackupToRegion.");
                return Err(Failure::InvalidRequest(reason));
            }
        }
        let backup = state.backup(region, &id)?;
        must_be_ready(&id, backup.state(self.moment()))?;
        Ok((id, backup.clone()))
    }

    /// Puts a backup where the cluster's first HSM will be made from, so that nothing depends on the backup's fate.
    async fn plant(&self, id: &ClusterId, backup: &BackupId, family: &ClusterId) -> Result<Origin, Failure> {
        let (folder, from, to) = (self.places.cluster(id), self.places.backup(backup), self.places.seed(id));
        let content = blocking(move || {
            private_folder(&folder).map_err(Failure::internal)?;
            let content = read_backup(&from)?;
            Copies::of(&from)?.write(&to)?;
            Ok(content)
        });
        let content = content.await?;
        let certificate = content.files.get(CERTIFICATE).and_then(|pem| String::from_utf8(pem.to_vec()).ok());
        let phase = if content.hsm.is_activated() { Phase::Active } else { Phase::Initialized };
        Ok(Origin { phase, certificate, family: family.clone() })
    }

    pub(super) fn cluster_output(&self, state: &State, id: &ClusterId) -> Result<ClusterOutput, Failure> {
        let cluster = state.clusters.get(id).ok_or_else(|| Failure::internal("the cluster is gone"))?;
        let mut moment = self.moment();
        // The answer shows the state in progress, as at AWS, however soon it is over.
        moment.now = cluster.step.1;
        Ok(ClusterOutput { cluster: self.describe_cluster(id, cluster, moment)? })
    }

    pub(super) async fn describe_clusters(
        &self,
        region: &Region,
        input: DescribeClusters,
    ) -> Result<DescribeClustersOutput, Failure> {
        self.notice_activations(region).await;
        let (state, moment) = (self.state(), self.moment());
        let mut found: Vec<(&ClusterId, &Cluster)> =
            state.clusters.iter().filter(|(_, cluster)| cluster.region == *region).collect();
        for (field, values) in input.filters.iter().flat_map(Filters::iter) {
            let is_wanted: &dyn Fn(&(&ClusterId, &Cluster)) -> bool = match field {
                "clusterIds" => &|(id, _)| values.iter().any(|value| value == id.as_str()),
                "vpcIds" => &|(_, cluster)| values.contains(&vpc(&cluster.region)),
                "states" => &|(_, cluster)| values.contains(&name_of(&cluster.state(moment))),
                _ => return Err(unknown_filter(field, "clusterIds, vpcIds, states")),
            };
            found.retain(is_wanted);
        }
        let found =
            found.into_iter().map(|(id, cluster)| (Place::oldest_first(cluster.created, id), (id, cluster)));
        let (shown, next_token) =
            page(found.collect(), input.next_token.as_ref(), input.max_results.map_or(25, UpTo::get))?;
        let clusters = shown.into_iter().map(|(id, cluster)| self.describe_cluster(id, cluster, moment));
        Ok(DescribeClustersOutput { clusters: clusters.collect::<Result<_, _>>()?, next_token })
    }

    /// A cluster becomes ACTIVE when the console has changed PRECO's password on one of its HSMs.
    async fn notice_activations(&self, region: &Region) {
        let state = self.state();
        let waits = |cluster: &&Cluster| cluster.phase == Phase::Initialized && cluster.region == *region;
        let waiting = state.clusters.iter().filter(|(_, cluster)| waits(cluster));
        for (id, cluster) in waiting {
            for hsm in cluster.hsms.keys() {
                if self.units.snapshot(hsm).await.is_some_and(|hsm| hsm.is_activated()) {
                    self.activate(id).await;
                    break;
                }
            }
        }
    }

    pub(super) async fn activate(&self, id: &ClusterId) {
        let done = self.commit(|state| {
            if let Some(cluster) = state.clusters.get_mut(id)
                && cluster.phase == Phase::Initialized
            {
                cluster.phase = Phase::Active;
            }
        });
        match done.await {
            Ok(_) => tracing::info!(cluster = %id, "activated"),
            // It is noticed again.
            Err(error) => tracing::warn!(cluster = %id, %error, "cannot store that the cluster is activated"),
        }
    }

    pub(super) async fn modify_cluster(
        self: Arc<Self>,
        region: Region,
        input: ModifyCluster,
    ) -> Result<ClusterOutput, Failure> {
        let (state, id, now) = (self.state(), input.cluster_id, self.now());
        let cluster = state.cluster(&region, &id)?;
        let days = retention(input.backup_retention_policy.as_ref())?;
        if days.is_none() && input.hsm_type.is_none() {
            return Err(Failure::invalid("Specify HsmType or BackupRetentionPolicy."));
        }
        self.must_be_still(&id, cluster)?;
        let change = input.hsm_type.filter(|wanted| *wanted != cluster.hsm_type);
        let step = change.as_ref().map(|wanted| change_type(cluster, wanted, now)).transpose()?;
        let state = self
            .commit(|state| {
                let Some(cluster) = state.clusters.get_mut(&id) else { return };
                cluster.retention_days = days.unwrap_or(cluster.retention_days);
                if let (Some(hsm_type), Some((step, rollback))) = (change, step) {
                    (cluster.hsm_type, cluster.step, cluster.rollback) = (hsm_type, (step, now), rollback);
                }
            })
            .await?;
        self.cluster_output(&state, &id)
    }

    pub(super) async fn delete_cluster(
        self: Arc<Self>,
        region: Region,
        input: DeleteCluster,
    ) -> Result<ClusterOutput, Failure> {
        let (state, id, now) = (self.state(), input.cluster_id, self.now());
        let cluster = state.cluster(&region, &id)?;
        if !cluster.hsms.is_empty() {
            let reason = format!("Cluster {id} has HSMs: delete them with DeleteHsm first.");
            return Err(Failure::InvalidRequest(reason));
        }
        self.must_be_still(&id, cluster)?;
        let state = self
            .commit(|state| {
                if let Some(cluster) = state.clusters.get_mut(&id) {
                    (cluster.phase, cluster.step) = (Phase::Deleted, (Step::Delete, now));
                }
            })
            .await?;
        self.clean().await;
        self.cluster_output(&state, &id)
    }

    /// As at AWS, nothing changes a cluster while something is in progress there.
    pub(super) fn must_be_still(&self, id: &ClusterId, cluster: &Cluster) -> Result<(), Failure> {
        let name = name_of(&cluster.state(self.moment()));
        if name.ends_with("_IN_PROGRESS") {
            return Err(Failure::InvalidRequest(format!("Cluster {id} is in state {name}.")));
        }
        Ok(())
    }
}

/// What a new cluster is when it is made.
struct Origin {
    phase: Phase,
    certificate: Option<String>,
    family: ClusterId,
}

pub(super) fn must_be_ready(id: &BackupId, state: BackupState) -> Result<(), Failure> {
    match state {
        BackupState::Ready => Ok(()),
        BackupState::CreateInProgress | BackupState::Deleted | BackupState::PendingDeletion => {
            Err(Failure::InvalidRequest(format!("Backup {id} is in state {}.", name_of(&state))))
        }
    }
}

pub(super) fn unknown_filter(field: &str, known: &str) -> Failure {
    Failure::InvalidRequest(format!("Filter {field} is unknown; the filters are {known}."))
}

/// A state as clients write it.
pub(super) fn name_of(state: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(state).ok();
    value.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

fn retention(policy: Option<&BackupRetentionPolicy>) -> Result<Option<u16>, Failure> {
    let Some(policy) = policy else { return Ok(None) };
    let days = policy.value.as_ref().and_then(|value| value.as_str().parse().ok());
    match days.filter(|days| (7..=379).contains(days)) {
        Some(days) => Ok(Some(days)),
        None => Err(Failure::invalid("BackupRetentionPolicy: Value must be between 7 and 379 days.")),
    }
}

/// There are no real zones: the first subnet is in zone a, and so on.
fn subnets(region: &Region, ids: Vec<SubnetId>) -> Result<BTreeMap<AvailabilityZone, SubnetId>, Failure> {
    let mut subnets = BTreeMap::new();
    for (letter, subnet) in ('a'..='j').zip(ids) {
        if subnets.values().any(|other| *other == subnet) {
            let reason =
                format!("Subnet {subnet} is given twice: there is one subnet for each Availability Zone.");
            return Err(Failure::InvalidRequest(reason));
        }
        let zone = AvailabilityZone::parse(&format!("{region}{letter}")).map_err(Failure::internal)?;
        subnets.insert(zone, subnet);
    }
    Ok(subnets)
}

fn mode(
    hsm_type: &HsmType,
    wanted: Option<ClusterMode>,
    source: Option<&Backup>,
) -> Result<ClusterMode, Failure> {
    let of_type = hsm_type.as_str();
    if of_type != OLD && of_type != NEW {
        return Err(Failure::InvalidRequest(format!("HsmType {hsm_type} is not one of {OLD}, {NEW}.")));
    }
    let mode = wanted.or(source.map(|backup| backup.mode)).unwrap_or(ClusterMode::Fips);
    if of_type == OLD && mode == ClusterMode::NonFips {
        return Err(Failure::InvalidRequest(format!("HsmType {OLD} has mode FIPS only.")));
    }
    let Some(backup) = source else { return Ok(mode) };
    if backup.mode != mode {
        let reason = format!("The backup is of a cluster in mode {}.", name_of(&backup.mode));
        return Err(Failure::InvalidRequest(reason));
    }
    if backup.hsm_type != *hsm_type && of_type != NEW {
        let reason = format!("A backup of {} cannot be restored to {hsm_type}.", backup.hsm_type);
        return Err(Failure::InvalidRequest(reason));
    }
    Ok(mode)
}

/// The old type becomes the new one; for a day that can be undone.
fn change_type(cluster: &Cluster, wanted: &HsmType, now: u64) -> Result<(Step, Option<Rollback>), Failure> {
    if cluster.rollback.as_ref().is_some_and(|old| old.hsm_type == *wanted && now < old.until) {
        return Ok((Step::RollBack, None));
    }
    if cluster.hsm_type.as_str() == OLD && wanted.as_str() == NEW {
        let rollback = Rollback { hsm_type: cluster.hsm_type.clone(), until: now.saturating_add(DAY) };
        return Ok((Step::Modify, Some(rollback)));
    }
    Err(Failure::InvalidRequest(format!("HsmType {} cannot be changed to {wanted}.", cluster.hsm_type)))
}
