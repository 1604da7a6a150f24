//! A real cluster in this process, each HSM behind a relay that can fail in a chosen way.

#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]

pub mod relay;

use std::path::{Path, PathBuf};
use std::time::Duration;

use cloudhsm::cluster::config::Config;
use cloudhsm::cluster::{Cluster, Dial};
use cloudhsm::hsmd::folder::{self, CONFIG};
use cloudhsm::hsmd::init::{self, Names, NewCluster, Owner};
use cloudhsm::hsmd::run::Running;
use cloudhsm::hsmd::settings::HashCost;
use cloudhsm::interrupt::Interrupt;
use cloudhsm::wire::Limits;
use cloudhsm::wire::link::Address;
use tempfile::TempDir;

use relay::Relay;

/// Long enough for a loaded machine, short enough for a test that waits for them.
pub const LIMITS: Limits = Limits {
    connect: Duration::from_secs(2),
    handshake: Duration::from_secs(2),
    hello: Duration::from_secs(2),
    call: Duration::from_secs(2),
};

/// Not a cost for secrets that matter.
pub const CHEAP: HashCost = HashCost { memory_kib: 8, iterations: 1, parallelism: 1 };

/// HSMs called 127.0.1.1, 127.0.1.2, …, on ephemeral ports behind relays.
pub struct TestCluster {
    folder: TempDir,
    hsms: Vec<Option<Running>>,
    pub relays: Vec<Relay>,
}

impl TestCluster {
    pub async fn start(nodes: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let new = NewCluster {
            nodes,
            net: "127.0.1.0".parse().unwrap(),
            port: 2225,
            names: Names::Numbered,
            password_hash: CHEAP,
            owner: Owner::MadeHere,
        };
        init::cluster(&folder.path().join("cluster"), &new).unwrap();
        let mut cluster = Self { folder, hsms: Vec::new(), relays: Vec::new() };
        for hsm in folder::hsm_folders(&cluster.path()).unwrap() {
            let running = run(&hsm).await;
            cluster.relays.push(Relay::start(running.address, &hsm).await);
            cluster.hsms.push(Some(running));
        }
        cluster
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("cluster")
    }

    /// How a console reaches the relays.
    pub fn dials(&self) -> Vec<Dial> {
        let config = Config::load(&self.path().join(CONFIG)).unwrap();
        let dial = |(server, relay): (_, &Relay)| Dial {
            address: Address::Socket(relay.address),
            ..Dial::new(server).unwrap()
        };
        config.servers().zip(&self.relays).map(dial).collect()
    }

    pub fn console(&self, interrupt: &Interrupt) -> Cluster {
        Cluster::new(self.dials(), LIMITS, interrupt.clone())
    }

    /// Stops an HSM and starts it again from its folder: connections and logins are gone, the rest is not.
    pub async fn restart(&mut self, number: usize) {
        self.hsms[number].take().unwrap().stop().await;
        let running = run(&self.path().join(format!("hsm{number}"))).await;
        self.relays[number].lead_to(running.address);
        self.hsms[number] = Some(running);
    }
}

async fn run(folder: &Path) -> Running {
    Running::start(folder, Some("127.0.0.1:0".parse().unwrap())).await.unwrap()
}
