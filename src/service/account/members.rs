//! HSMs come and go.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::backups::{Copies, read_backup};
use super::core::{Core, blocking};
use super::file::private_folder;
use super::ids::{fresh_hex, fresh_hsm};
use super::net::free_address;
use super::state::{self, Cluster, Hsm, Phase, State};
use crate::hsm::Identity;
use crate::hsmd::making::backup::Backup;
use crate::hsmd::making::member;
use crate::protocol::device::Member;
use crate::service::failure::Failure;
use crate::service::shapes::hsm::{CreateHsm, CreateHsmOutput, DeleteHsm, DeleteHsmOutput};
use crate::service::shapes::names::{BackupId, ClusterId, EniId, HsmId, Region};

/// Most HSMs of a cluster, as at AWS.
const MAX_HSMS: usize = 28;

/// An HSM that is being made.
struct New {
    id: HsmId,
    identity: Identity,
    record: Hsm,
}

/// A backup that was just made, and its record.
type Fresh = (BackupId, state::Backup);

impl Core {
    pub(super) async fn create_hsm(
        self: Arc<Self>,
        region: Region,
        input: CreateHsm,
    ) -> Result<CreateHsmOutput, Failure> {
        let first = self.try_to_create_hsm(&region, &input).await;
        match (first, &input.ip_address) {
            // Another account on this machine may have taken the address first: then another one is free.
            (Err(Failure::Service(_)), None) => self.try_to_create_hsm(&region, &input).await,
            (first, _) => first,
        }
    }

    async fn try_to_create_hsm(
        &self,
        region: &Region,
        input: &CreateHsm,
    ) -> Result<CreateHsmOutput, Failure> {
        let state = self.state();
        let id = input.cluster_id.clone();
        let cluster = state.cluster(region, &id)?;
        self.must_take_an_hsm(&id, cluster)?;
        let new = self.new_hsm(&state, cluster, input)?;
        let (hsm_id, record) = (new.id.clone(), new.record.clone());
        let made = self.make(&state, (&id, cluster), new).await;
        let folder = self.places.hsm(&id, &hsm_id);
        let started = match made {
            Ok(backup) => self.units.start(&hsm_id, &folder).await.map(|()| backup),
            Err(failure) => return self.undone(&hsm_id, failure).await,
        };
        let backup = match started {
            Ok(backup) => backup,
            Err(reason) => return self.undone(&hsm_id, Failure::Service(reason)).await,
        };
        // From now on, as with `--pace` it is in progress for a while.
        let record = Hsm { created: self.now(), ..record };
        let committed = self.commit(|state| add(state, &id, (hsm_id.clone(), record), backup)).await;
        let state = match committed {
            Ok(state) => state,
            Err(failure) => return self.undone(&hsm_id, failure).await,
        };
        self.tell_members(&id, &state).await;
        self.units.follow_keys(&id, &hsm_id);
        self.created(&state, &id, &hsm_id)
    }

    fn must_take_an_hsm(&self, id: &ClusterId, cluster: &Cluster) -> Result<(), Failure> {
        self.must_be_still(id, cluster)?;
        if cluster.phase == Phase::Uninitialized && !cluster.hsms.is_empty() {
            let reason =
                format!("Cluster {id} has its first HSM: initialize the cluster before you add another.");
            return Err(Failure::InvalidRequest(reason));
        }
        if cluster.hsms.len() >= MAX_HSMS {
            return Err(Failure::InvalidRequest(format!(
                "Cluster {id} has {MAX_HSMS} HSMs, the most it can have."
            )));
        }
        Ok(())
    }

    fn new_hsm(&self, state: &State, cluster: &Cluster, input: &CreateHsm) -> Result<New, Failure> {
        let zone = input.availability_zone.clone();
        let Some(subnet) = cluster.subnets.get(&zone) else {
            let reason = format!("Cluster {} has no subnet in {zone}.", input.cluster_id);
            return Err(Failure::InvalidRequest(reason));
        };
        let address = free_address(cluster, &zone, input.ip_address.as_ref(), self.options.port)?;
        let node_id = state.nodes.get(&cluster.family).copied().unwrap_or_default();
        let (id, identity) = fresh_hsm(state, node_id)?;
        let interface = EniId::parse(&fresh_hex(state, "eni-")?).map_err(Failure::internal)?;
        let (subnet, created) = (subnet.clone(), self.now());
        let record = Hsm { zone, subnet, interface, address, node_id, created, deleted: None };
        Ok(New { id, identity, record })
    }

    /// Makes the HSM's folder: of the cluster's first HSM, or with the users and keys of the newest one. Then there is a
    /// backup of that, too.
    async fn make(
        &self,
        state: &State,
        (id, cluster): (&ClusterId, &Cluster),
        new: New,
    ) -> Result<Option<Fresh>, Failure> {
        let (cluster_folder, folder) = (self.places.cluster(id), self.places.hsm(id, &new.id));
        let own = self.member(new.record.node_id, new.record.address);
        let password_hash = self.options.password_hash;
        if cluster.phase == Phase::Uninitialized {
            let made = blocking(move || {
                private_folder(&cluster_folder).map_err(Failure::internal)?;
                member::first(&folder, &new.identity, &own, password_hash).map_err(Failure::internal)
            });
            return made.await.map(|()| None);
        }
        let (fresh, backup) = match self.newest(id, cluster).await {
            Some(newest) => {
                let (backup_id, record, backup) = self.back_up(state, (id, cluster), &newest).await?;
                (Some((backup_id, record)), backup)
            }
            None => (None, self.seed(id).await?),
        };
        let mut members = self.members(cluster);
        members.push(own);
        let made = blocking(move || {
            private_folder(&cluster_folder).map_err(Failure::internal)?;
            member::joining(&folder, &new.identity, &members, &backup).map_err(Failure::internal)
        });
        made.await.map(|()| fresh)
    }

    /// The HSM that was managed last; without one that runs, any. One that has just died is started first: it may be the
    /// one.
    pub(super) async fn newest(&self, cluster_id: &ClusterId, cluster: &Cluster) -> Option<HsmId> {
        let mut newest: Option<(u64, &HsmId)> = None;
        for (id, _) in cluster.hsms.iter().filter(|(_, hsm)| hsm.deleted.is_none()) {
            if self.units.trouble(id).is_some() {
                self.start_again(cluster_id, id).await;
            }
            if let Some((time, _)) = self.units.last_managed(id).await
                && newest.is_none_or(|(before, _)| time > before)
            {
                newest = Some((time, id));
            }
        }
        let any = || cluster.hsms.iter().find(|(_, hsm)| hsm.deleted.is_none()).map(|(id, _)| id);
        newest.map(|(_, id)| id).or_else(any).cloned()
    }

    async fn seed(&self, id: &ClusterId) -> Result<Backup, Failure> {
        let seed = self.places.seed(id);
        blocking(move || read_backup(&seed)).await
    }

    async fn undone<T>(&self, id: &HsmId, failure: Failure) -> Result<T, Failure> {
        self.units.stop(id).await;
        self.clean().await;
        Err(failure)
    }

    fn created(&self, state: &State, id: &ClusterId, hsm_id: &HsmId) -> Result<CreateHsmOutput, Failure> {
        let cluster = state.clusters.get(id).ok_or_else(|| Failure::internal("the cluster is gone"))?;
        let hsm = cluster.hsms.get(hsm_id).ok_or_else(|| Failure::internal("the HSM is gone"))?;
        let mut moment = self.moment();
        moment.now = hsm.created;
        Ok(CreateHsmOutput { hsm: self.describe_hsm(id, cluster, (hsm_id, hsm), moment)? })
    }

    pub(super) async fn delete_hsm(
        self: Arc<Self>,
        region: Region,
        input: DeleteHsm,
    ) -> Result<DeleteHsmOutput, Failure> {
        let state = self.state();
        let id = &input.cluster_id;
        let cluster = state.cluster(&region, id)?;
        let hsm_id = find(cluster, &input)?;
        self.must_be_still(id, cluster)?;
        // Before the backup, which has to have all that the HSM acknowledges.
        self.units.stop(&hsm_id).await;
        let deleted = self.delete_stopped((id, cluster), &hsm_id).await;
        if deleted.is_err() {
            self.start_again(id, &hsm_id).await;
        }
        let state = deleted?;
        self.tell_members(id, &state).await;
        self.clean().await;
        Ok(DeleteHsmOutput { hsm_id })
    }

    async fn delete_stopped(
        &self,
        (id, cluster): (&ClusterId, &Cluster),
        hsm_id: &HsmId,
    ) -> Result<Arc<State>, Failure> {
        let backup = match cluster.phase {
            // It has nothing to be restored, nor a certificate by which anybody could trust what is restored.
            Phase::Uninitialized => None,
            Phase::Initialized | Phase::Active | Phase::Deleted => {
                let (backup_id, record, _) = self.back_up(&self.state(), (id, cluster), hsm_id).await?;
                self.keep_seed(id, &backup_id).await?;
                Some((backup_id, record))
            }
        };
        let now = self.now();
        let committed = self.commit(|state| {
            add_backup(state, backup);
            let cluster = state.clusters.get_mut(id);
            if let Some(hsm) = cluster.and_then(|cluster| cluster.hsms.get_mut(hsm_id)) {
                hsm.deleted = Some(now);
            }
        });
        committed.await
    }

    /// For the next HSM, if this was the last: whatever becomes of the backup until then.
    async fn keep_seed(&self, id: &ClusterId, backup: &BackupId) -> Result<(), Failure> {
        let (from, to) = (self.places.backup(backup), self.places.seed(id));
        blocking(move || Copies::of(&from)?.write(&to)).await
    }

    /// Lets all HSMs of a cluster know each other: in their settings, and those that run at once.
    pub(super) async fn tell_members(&self, id: &ClusterId, state: &State) {
        let Some(cluster) = state.clusters.get(id) else { return };
        let members = self.members(cluster);
        for (hsm_id, _) in cluster.hsms.iter().filter(|(_, hsm)| hsm.deleted.is_none()) {
            let (folder, all) = (self.places.hsm(id, hsm_id), members.clone());
            let told = blocking(move || member::set_members(&folder, &all).map_err(Failure::internal));
            if let Err(error) = told.await {
                // Its next start tries again.
                tracing::warn!(%hsm_id, %error, "the HSM's settings do not have the HSMs of its cluster");
            }
            self.units.set_members(hsm_id, members.clone()).await;
        }
    }

    fn members(&self, cluster: &Cluster) -> Vec<Member> {
        let alive = cluster.hsms.values().filter(|hsm| hsm.deleted.is_none());
        let mut members: Vec<Member> = alive.map(|hsm| self.member(hsm.node_id, hsm.address)).collect();
        members.sort_by_key(|member| member.node_id);
        members
    }

    fn member(&self, node_id: u32, address: Ipv4Addr) -> Member {
        Member { node_id, hostname: address.to_string(), port: self.options.port }
    }
}

fn add(state: &mut State, id: &ClusterId, (hsm_id, hsm): (HsmId, Hsm), backup: Option<Fresh>) {
    add_backup(state, backup);
    let Some(cluster) = state.clusters.get_mut(id) else { return };
    state.used.extend([hsm_id.to_string(), hsm.interface.to_string()]);
    state.nodes.insert(cluster.family.clone(), hsm.node_id.saturating_add(1));
    cluster.hsms.insert(hsm_id, hsm);
}

pub(super) fn add_backup(state: &mut State, backup: Option<Fresh>) {
    if let Some((backup_id, record)) = backup {
        state.used.insert(backup_id.to_string());
        state.backups.insert(backup_id, record);
    }
}

/// The HSM that exactly one of the members names.
fn find(cluster: &Cluster, input: &DeleteHsm) -> Result<HsmId, Failure> {
    let is_it: &dyn Fn(&HsmId, &Hsm) -> bool = match (&input.hsm_id, &input.eni_id, &input.eni_ip) {
        (Some(id), None, None) => &move |hsm_id, _| hsm_id == id,
        (None, Some(interface), None) => &move |_, hsm| hsm.interface == *interface,
        (None, None, Some(address)) => &move |_, hsm| hsm.address.to_string() == address.as_str(),
        _ => return Err(Failure::invalid("Specify exactly one of HsmId, EniId and EniIp.")),
    };
    let found = cluster.hsms.iter().find(|(id, hsm)| hsm.deleted.is_none() && is_it(id, hsm));
    found
        .map(|(id, _)| id.clone())
        .ok_or_else(|| Failure::ResourceNotFound(format!("Cluster {} has no such HSM.", input.cluster_id)))
}
