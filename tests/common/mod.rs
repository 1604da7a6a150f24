//! A real cluster in this process, each HSM behind a relay that can fail in a chosen way.

#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cloudhsm::cluster::{Cluster, Dial};
use cloudhsm::config::Config;
use cloudhsm::hsmd::faults::{Direction, Relay, What};
use cloudhsm::hsmd::keeping::folder::{self, CONFIG};
use cloudhsm::hsmd::keeping::settings::HashCost;
use cloudhsm::hsmd::making::backup::Backup;
use cloudhsm::hsmd::making::clone::clone_cluster;
use cloudhsm::hsmd::making::init::{self, Names, NewCluster};
use cloudhsm::hsmd::making::pki::Vouching;
use cloudhsm::hsmd::serving::clock::Clock;
use cloudhsm::hsmd::serving::run::Running;
use cloudhsm::hsmd::watching::probe::Probe;
use cloudhsm::interrupt::Interrupt;
use cloudhsm::wire::Limits;
use cloudhsm::wire::link::Address;
use tempfile::TempDir;
use tokio::time::sleep;

/// Longer than a loaded machine takes, to make a pair of RSA keys, too.
const PATIENT: Limits = Limits {
    connect: Duration::from_secs(10),
    handshake: Duration::from_secs(10),
    hello: Duration::from_secs(10),
    call: Duration::from_secs(60),
};

/// For a test that waits for them.
pub const SHORT: Limits = Limits {
    connect: Duration::from_secs(2),
    handshake: Duration::from_secs(2),
    hello: Duration::from_secs(2),
    call: Duration::from_secs(4),
};

/// Not a cost for secrets that matter.
pub const CHEAP: HashCost = HashCost { memory_kib: 8, iterations: 1, parallelism: 1 };

/// HSMs called 127.0.1.1, 127.0.1.2, …, on ephemeral ports behind relays.
pub struct TestCluster {
    folder: TempDir,
    folders: Vec<PathBuf>,
    servers: Vec<Dial>,
    hsms: Vec<Option<Running>>,
    /// Of all consoles.
    pub limits: Limits,
    /// Of all HSMs.
    pub clock: Clock,
    pub relays: Vec<Relay>,
}

impl TestCluster {
    pub async fn start(nodes: u32) -> Self {
        Self::start_with(nodes, CHEAP).await
    }

    pub async fn start_with(nodes: u32, password_hash: HashCost) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let new = NewCluster { password_hash, ..new_cluster(nodes) };
        init::cluster(&folder.path().join("cluster"), &new).unwrap();
        let mut cluster = Self {
            folder,
            folders: Vec::new(),
            servers: Vec::new(),
            hsms: Vec::new(),
            relays: Vec::new(),
            limits: PATIENT,
            clock: Clock::default(),
        };
        cluster.add(&cluster.path()).await;
        cluster
    }

    /// An HSM of another clone family and another owner; it follows these in the console.
    pub async fn add_stranger(&mut self) {
        let folder = self.folder.path().join("stranger");
        let new = NewCluster { net: "127.0.3.0".parse().unwrap(), names: Names::Random, ..new_cluster(1) };
        init::cluster(&folder, &new).unwrap();
        self.add(&folder).await;
    }

    /// Runs the HSMs of a cluster's folder.
    async fn add(&mut self, folder: &Path) {
        let config = Config::load(&folder.join(CONFIG)).unwrap();
        for (hsm, server) in folder::hsm_folders(folder).unwrap().into_iter().zip(config.servers()) {
            let running = run(&hsm, &self.clock).await;
            self.relays.push(Relay::start(&running, any_port()).unwrap());
            self.hsms.push(Some(running));
            self.servers.push(Dial::new(server).unwrap());
            self.folders.push(hsm);
        }
    }

    fn hsm_folder(&self, number: usize) -> PathBuf {
        self.folders[number].clone()
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("cluster")
    }

    /// How a console reaches the relays.
    pub fn dials(&self) -> Vec<Dial> {
        let dial = |(server, relay): (&Dial, &Relay)| Dial {
            address: Address::Socket(relay.address),
            ..server.clone()
        };
        self.servers.iter().zip(&self.relays).map(dial).collect()
    }

    pub fn console(&self, interrupt: &Interrupt) -> Cluster {
        Cluster::new(self.dials(), self.limits, interrupt.clone())
    }

    /// Ends a console's connections, and waits until the HSMs have noticed: nobody is logged in on them any more. One that
    /// was broken already is not waited for long.
    pub async fn part(&self, mut console: Cluster) {
        let mut before = Vec::new();
        for server in console.servers().iter().filter(|server| server.is_connected()) {
            let probe = Probe::of(self.hsms[server.number()].as_ref().unwrap());
            let connections = probe.look().await.connections;
            before.push((probe, connections));
        }
        console.close().await;
        let deadline = Instant::now() + PATIENT.hello / 5;
        for (probe, before) in before {
            while probe.look().await.connections >= before && Instant::now() < deadline {
                sleep(Duration::from_millis(5)).await;
            }
        }
    }

    /// A cloned cluster, made of a backup of one of these HSMs while it runs; its HSMs follow these in the console.
    pub async fn add_clone(&mut self, of: usize, nodes: u32) {
        let original = self.hsm_folder(of);
        let beside = |what: &str| self.folder.path().join(format!("{what}{}", self.hsms.len()));
        let (file, key) = (beside("backup"), beside("key"));
        Backup::of(&original).unwrap().write(&file, &key).unwrap();
        let clone = beside("clone");
        let new = NewCluster { net: "127.0.2.0".parse().unwrap(), ..new_cluster(nodes) };
        clone_cluster(&clone, &new, &Backup::read(&file, &key).unwrap(), None).unwrap();
        self.add(&clone).await;
    }

    /// A fault on purpose; the clock is that of all HSMs.
    pub async fn obey(&mut self, direction: &Direction) {
        let number = direction.server.unwrap_or(0);
        match &direction.what {
            What::Door(door) => self.relays[number].set_door(*door).await.unwrap(),
            What::Fault(calls, fault) => self.relays[number].fail_after(*calls, *fault),
            What::Restarts => self.restart(number).await,
            What::Lacks(lost) => self.hsms[number].as_ref().unwrap().lose(lost.clone()).await.unwrap(),
            What::ClockAhead(time) => self.clock.advance(*time),
        }
    }

    /// Stops an HSM and starts it again from its folder: connections and logins are gone, the rest is not.
    pub async fn restart(&mut self, number: usize) {
        self.hsms[number].take().unwrap().stop().await;
        self.relays[number].emptied().await;
        self.start_again(number).await;
    }

    /// Ends an HSM without an answer to what is under way, and starts it again from its store.
    pub async fn kill(&mut self, number: usize) {
        self.relays[number].hang_up().await;
        let killed = self.hsms[number].take().unwrap();
        killed.abort();
        killed.stop().await;
        self.start_again(number).await;
    }

    async fn start_again(&mut self, number: usize) {
        let running = run(&self.hsm_folder(number), &self.clock).await;
        self.relays[number].lead_to(running.address);
        self.hsms[number] = Some(running);
    }
}

fn new_cluster(nodes: u32) -> NewCluster {
    NewCluster {
        nodes,
        net: "127.0.1.0".parse().unwrap(),
        port: 2225,
        names: Names::Numbered,
        password_hash: CHEAP,
        vouching: Vouching::MadeHere,
    }
}

/// One that was killed may still be writing.
async fn run(folder: &Path, clock: &Clock) -> Running {
    let deadline = Instant::now() + PATIENT.hello;
    loop {
        match Running::start_at(folder, Some(any_port()), clock.clone()).await {
            Ok(running) => return running,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        sleep(Duration::from_millis(5)).await;
    }
}

fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}
