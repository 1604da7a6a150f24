//! What all actors share.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cloudhsm::cluster::Dial;
use cloudhsm::hsm::{MAX_KEYS, MAX_USERS};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use crate::cluster::Cluster;
use crate::figures::Figures;
use crate::nodes::Node;
use cloudhsm::hsmd::faults::Relay;

pub(crate) const SERVERS: usize = 3;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// All that an HSM holds, the two that it is made with included.
    pub(crate) users: usize,
    pub(crate) keys: usize,
    /// Users with connections to all HSMs, who own the keys.
    pub(crate) workers: usize,
    /// Real consoles of each kind at a time.
    pub(crate) consoles: usize,
    /// Connections to each HSM that never log in.
    pub(crate) strangers: usize,
    /// The longest a worker thinks between two commands.
    pub(crate) think: Duration,
    /// Of the HSM whose disk fills up.
    pub(crate) disk_mebibytes: usize,
}

impl Scale {
    /// What an HSM can hold at most, for a run that has the time to make it; less for a short one.
    pub(crate) fn of(time: Duration) -> Self {
        if time >= Duration::from_secs(300) {
            Self {
                users: MAX_USERS,
                keys: MAX_KEYS,
                workers: 120,
                consoles: 3,
                strangers: 300,
                think: Duration::from_millis(400),
                disk_mebibytes: 128,
            }
        } else {
            Self {
                users: 24,
                keys: 120,
                workers: 12,
                consoles: 1,
                strangers: 30,
                think: Duration::from_millis(80),
                disk_mebibytes: 48,
            }
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.users == MAX_USERS
    }
}

pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) scale: Scale,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) relays: Mutex<Vec<Relay>>,
    /// How to reach the HSMs themselves.
    pub(crate) direct: Vec<Dial>,
    /// How to reach the relays before them, which cut connections.
    pub(crate) relayed: Vec<Dial>,
    pub(crate) figures: Figures,
    pub(crate) runtime: Handle,
    /// Unset while the cluster is made.
    pub(crate) until: OnceLock<Instant>,
}

impl World {
    /// Whether actors begin nothing new.
    pub(crate) fn is_over(&self) -> bool {
        self.until.get().is_some_and(|until| Instant::now() >= *until) || self.figures.is_wrong()
    }

    /// The run ends after this time, or when anything is wrong.
    pub(crate) fn begin(&self, time: Duration) {
        let is_first = self.until.set(Instant::now() + time).is_ok();
        assert!(is_first, "it has begun already");
    }

    /// Sleeps, but not beyond the end.
    pub(crate) fn pause(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end && !self.is_over() {
            std::thread::sleep(Duration::from_millis(20).min(time));
        }
    }
}
