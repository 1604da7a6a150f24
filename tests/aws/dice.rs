//! Random calls, which a seed repeats.

use std::collections::BTreeMap;

use crate::model::{Backup, Call, Cluster, Id, State, World};

/// Random numbers of a seed.
pub(crate) struct Dice(u64);

/// So many HSMs and clusters at most: all of them start again after each kill.
const MAX_HSMS: usize = 5;
const MAX_CLUSTERS: usize = 4;

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn choose<T>(&mut self, from: impl IntoIterator<Item = T>) -> Option<T> {
        let mut all: Vec<T> = from.into_iter().collect();
        (!all.is_empty()).then(|| all.swap_remove(self.throw(all.len())))
    }

    /// A call and its region. It is one that may be refused, too; `certify` signs the CSR of an HSM.
    pub(crate) fn call(
        &mut self,
        world: &World,
        certify: impl FnOnce(usize, &Id) -> String,
    ) -> (usize, Call) {
        let here = |cluster: &Cluster| cluster.state != State::Deleted;
        let alive: BTreeMap<_, _> = world.clusters.iter().filter(|(_, cluster)| here(cluster)).collect();
        // Now and then one that is gone.
        let gone = self.throw(20) == 0;
        let chosen = if gone { self.choose(world.clusters.iter()) } else { self.choose(alive.clone()) };
        let backup = self.choose(&world.backups);
        let Some((id, cluster)) = chosen else {
            return (0, Call::CreateCluster { region: 0, source: None });
        };
        let (mut region, hsm) = (cluster.region, self.choose(cluster.hsms.keys()).cloned());
        let cluster_id = id.clone();
        if let Some(hsm) = hsm.clone().filter(|_| cluster.state == State::Uninitialized && self.throw(3) > 0)
        {
            let certificate = certify(region, id);
            return (region, Call::InitializeCluster { cluster: cluster_id, hsm, certificate });
        }
        let hsms = world.clusters.values().map(|cluster| cluster.hsms.len()).sum::<usize>();
        let call = match self.throw(14) {
            0 | 1 if alive.len() < MAX_CLUSTERS => {
                let source = backup.filter(|_| self.throw(3) > 0);
                region = source.map_or_else(|| self.throw(2), |(_, backup)| backup.region);
                Call::CreateCluster { region, source: source.map(|(id, _)| id.clone()) }
            }
            2..=5 if hsms < MAX_HSMS => {
                let zone = ['a', 'b', 'b', 'c'][self.throw(4)];
                Call::CreateHsm { cluster: cluster_id, zone }
            }
            6 | 7 if hsm.is_some() => Call::DeleteHsm { cluster: cluster_id, hsm: hsm.unwrap() },
            8 => Call::DeleteCluster { cluster: cluster_id },
            9 => Call::ModifyCluster { cluster: cluster_id, days: (7 + self.throw(90)).to_string() },
            _ => match backup.filter(|_| self.throw(3) > 0) {
                Some((id, backup)) => {
                    region = backup.region;
                    self.about(id, backup)
                }
                None => self.tag(cluster_id),
            },
        };
        (region, call)
    }

    fn about(&mut self, id: &Id, backup: &Backup) -> Call {
        let backup_id = id.clone();
        match self.throw(6) {
            0 | 1 => Call::CopyBackup { backup: backup_id },
            2 => Call::DeleteBackup { backup: backup_id },
            3 => Call::RestoreBackup { backup: backup_id },
            4 => Call::KeepBackup { backup: backup_id, never_expires: !backup.never_expires },
            _ => self.tag(backup_id),
        }
    }

    fn tag(&mut self, resource: Id) -> Call {
        let key = format!("key{}", self.throw(3));
        if self.throw(3) == 0 {
            return Call::Untag { resource, key };
        }
        Call::Tag { resource, key, value: self.throw(1000).to_string() }
    }
}
