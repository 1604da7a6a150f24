//! What an account shows, and what each call makes of it: the rules that the service has to follow, written once more.

use std::collections::{BTreeMap, BTreeSet};

pub(crate) type Id = String;
type Tags = BTreeMap<String, String>;

pub(crate) const REGIONS: [&str; 2] = ["us-east-1", "us-west-2"];
pub(crate) const INVALID: &str = "CloudHsmInvalidRequestException";
pub(crate) const NOT_FOUND: &str = "CloudHsmResourceNotFoundException";

/// Everything that clients can see, in all regions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) clusters: BTreeMap<Id, Cluster>,
    pub(crate) backups: BTreeMap<Id, Backup>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cluster {
    pub(crate) region: usize,
    pub(crate) state: State,
    pub(crate) source: Option<Id>,
    pub(crate) days: String,
    pub(crate) tags: Tags,
    /// With the zone and the address of each.
    pub(crate) hsms: BTreeMap<Id, (String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Uninitialized,
    Initialized,
    Active,
    Deleted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Backup {
    pub(crate) region: usize,
    pub(crate) cluster: Id,
    pub(crate) copy_of: Option<Id>,
    pub(crate) is_deleted: bool,
    pub(crate) never_expires: bool,
    pub(crate) tags: Tags,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    CreateCluster {
        region: usize,
        source: Option<Id>,
    },
    ModifyCluster {
        cluster: Id,
        days: String,
    },
    DeleteCluster {
        cluster: Id,
    },
    /// With a certificate for the CSR of this HSM.
    InitializeCluster {
        cluster: Id,
        hsm: Id,
        certificate: String,
    },
    CreateHsm {
        cluster: Id,
        zone: char,
    },
    DeleteHsm {
        cluster: Id,
        hsm: Id,
    },
    /// To the other region.
    CopyBackup {
        backup: Id,
    },
    DeleteBackup {
        backup: Id,
    },
    RestoreBackup {
        backup: Id,
    },
    KeepBackup {
        backup: Id,
        never_expires: bool,
    },
    Tag {
        resource: Id,
        key: String,
        value: String,
    },
    Untag {
        resource: Id,
        key: String,
    },
}

/// The world as it should be, and what it does not show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) world: World,
    /// Backups of clusters that were ACTIVE.
    active: BTreeSet<Id>,
}

/// What one call does: all the ways in which it can be done, which differ in the new ids only, or the exception.
type Done = Result<Vec<Model>, &'static str>;

/// A call, and its answer: whether it was done or which exception it got; `None` if nobody knows.
pub(crate) type Asked = (Call, Option<Result<(), String>>);

impl Model {
    /// How calls that were under way at once lead to what is seen: one after the other, in some order. A call without an
    /// answer was done, or was not.
    pub(crate) fn explain(&self, asked: &[Asked], seen: &World) -> Option<Self> {
        if asked.is_empty() {
            return (self.world == *seen).then(|| self.clone());
        }
        (0..asked.len()).find_map(|next| {
            let (call, answer) = &asked[next];
            let rest: Vec<Asked> = [&asked[..next], &asked[next + 1..]].concat();
            let done = self.after(call, seen);
            let skipped = answer.is_none().then(|| self.clone());
            let possible = match (answer, done) {
                (Some(Ok(())) | None, Ok(models)) => models,
                (Some(Err(said)), Err(kind)) if said == kind => vec![self.clone()],
                (Some(_) | None, _) => vec![],
            };
            skipped.into_iter().chain(possible).find_map(|model| model.explain(&rest, seen))
        })
    }

    /// With new ids out of those that are seen.
    pub(crate) fn after(&self, call: &Call, seen: &World) -> Done {
        let mut next = self.clone();
        match call {
            Call::CreateCluster { region, source } => {
                return self.create_cluster(*region, source.as_ref(), seen);
            }
            Call::ModifyCluster { cluster, days } => next.cluster(cluster)?.days.clone_from(days),
            Call::DeleteCluster { cluster } => {
                let cluster = next.cluster(cluster)?;
                refuse(!cluster.hsms.is_empty())?;
                cluster.state = State::Deleted;
            }
            Call::InitializeCluster { cluster, hsm, .. } => {
                let cluster = next.cluster(cluster)?;
                refuse(cluster.state != State::Uninitialized || !cluster.hsms.contains_key(hsm))?;
                cluster.state = State::Initialized;
            }
            Call::CreateHsm { cluster, zone } => return self.create_hsm(cluster, *zone, seen),
            Call::DeleteHsm { cluster, hsm } => {
                next.cluster(cluster)?.hsms.remove(hsm).ok_or(NOT_FOUND)?;
                return Ok(next.backed_up(cluster, seen));
            }
            Call::CopyBackup { backup } => return self.copy_backup(backup, seen),
            Call::DeleteBackup { backup } => {
                let backup = next.backup(backup)?;
                refuse(backup.is_deleted)?;
                backup.is_deleted = true;
            }
            Call::RestoreBackup { backup } => {
                let backup = next.backup(backup)?;
                refuse(!backup.is_deleted)?;
                backup.is_deleted = false;
            }
            Call::KeepBackup { backup, never_expires } => {
                let backup = next.backup(backup)?;
                refuse(backup.is_deleted)?;
                backup.never_expires = *never_expires;
            }
            Call::Tag { resource, key, value } => {
                drop(next.tags(resource)?.insert(key.clone(), value.clone()));
            }
            Call::Untag { resource, key } => drop(next.tags(resource)?.remove(key)),
        }
        Ok(vec![next])
    }

    fn create_cluster(&self, region: usize, source: Option<&Id>, seen: &World) -> Done {
        let mut state = State::Uninitialized;
        if let Some(id) = source {
            let backup = self.world.backups.get(id).filter(|backup| backup.region == region);
            refuse(backup.ok_or(NOT_FOUND)?.is_deleted)?;
            state = if self.active.contains(id) { State::Active } else { State::Initialized };
        }
        let (days, source) = ("90".to_owned(), source.cloned());
        let new = Cluster { region, state, source, days, tags: Tags::new(), hsms: BTreeMap::new() };
        let ids = seen.clusters.keys().filter(|id| !self.world.clusters.contains_key(*id));
        Ok(ids
            .map(|id| {
                let mut next = self.clone();
                next.world.clusters.insert(id.clone(), new.clone());
                next
            })
            .collect())
    }

    fn create_hsm(&self, id: &Id, zone: char, seen: &World) -> Done {
        let mut next = self.clone();
        let cluster = next.cluster(id)?.clone();
        refuse(zone > 'b')?;
        refuse(cluster.state == State::Uninitialized && !cluster.hsms.is_empty())?;
        let zone = format!("{}{zone}", REGIONS[cluster.region]);
        let shown = seen.clusters.get(id).map(|cluster| cluster.hsms.clone()).unwrap_or_default();
        let new = shown.into_iter().filter(|(hsm, at)| !cluster.hsms.contains_key(hsm) && at.0 == zone);
        let made = new.flat_map(|(hsm, at)| {
            let mut next = self.clone();
            // A backup of those that are there already.
            let before = if cluster.hsms.is_empty() { vec![next] } else { next.backed_up(id, seen) };
            before.into_iter().map(move |mut next| {
                if let Some(cluster) = next.world.clusters.get_mut(id) {
                    cluster.hsms.insert(hsm.clone(), at.clone());
                }
                next
            })
        });
        Ok(made.collect())
    }

    /// With the backup that is made when an HSM of an initialized cluster comes or goes.
    fn backed_up(&mut self, cluster_id: &Id, seen: &World) -> Vec<Self> {
        let cluster = &self.world.clusters[cluster_id];
        if cluster.state == State::Uninitialized {
            return vec![self.clone()];
        }
        let (is_active, tags) = (cluster.state == State::Active, cluster.tags.clone());
        let (is_deleted, never_expires) = (false, false);
        let (region, cluster) = (cluster.region, cluster_id.clone());
        self.with(
            &Backup { region, cluster, copy_of: None, is_deleted, never_expires, tags },
            is_active,
            seen,
        )
    }

    fn copy_backup(&self, id: &Id, seen: &World) -> Done {
        let backup = self.world.backups.get(id).ok_or(NOT_FOUND)?.clone();
        refuse(backup.is_deleted)?;
        let (region, copy_of) = (1 - backup.region, Some(id.clone()));
        let copy = Backup { region, copy_of, is_deleted: false, never_expires: false, ..backup };
        Ok(self.with(&copy, self.active.contains(id), seen))
    }

    fn with(&self, backup: &Backup, is_active: bool, seen: &World) -> Vec<Self> {
        let is_it = |id: &&Id| {
            let shown = &seen.backups[*id];
            !self.world.backups.contains_key(*id)
                && (shown.region, &shown.cluster, &shown.copy_of)
                    == (backup.region, &backup.cluster, &backup.copy_of)
        };
        let ids = seen.backups.keys().filter(is_it);
        ids.map(|id| {
            let mut next = self.clone();
            next.world.backups.insert(id.clone(), backup.clone());
            if is_active {
                next.active.insert(id.clone());
            }
            next
        })
        .collect()
    }

    fn cluster(&mut self, id: &Id) -> Result<&mut Cluster, &'static str> {
        let cluster = self.world.clusters.get_mut(id).ok_or(NOT_FOUND)?;
        if cluster.state == State::Deleted { Err(NOT_FOUND) } else { Ok(cluster) }
    }

    fn backup(&mut self, id: &Id) -> Result<&mut Backup, &'static str> {
        self.world.backups.get_mut(id).ok_or(NOT_FOUND)
    }

    fn tags(&mut self, id: &Id) -> Result<&mut Tags, &'static str> {
        if id.starts_with("cluster-") {
            return Ok(&mut self.cluster(id)?.tags);
        }
        Ok(&mut self.backup(id)?.tags)
    }
}

impl World {
    /// Every id in it.
    pub(crate) fn ids(&self) -> BTreeSet<&Id> {
        let hsms = self.clusters.values().flat_map(|cluster| cluster.hsms.keys());
        self.clusters.keys().chain(self.backups.keys()).chain(hsms).collect()
    }
}

fn refuse(is_wrong: bool) -> Result<(), &'static str> {
    if is_wrong { Err(INVALID) } else { Ok(()) }
}
