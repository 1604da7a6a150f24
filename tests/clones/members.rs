//! The HSMs of one cluster, which follow each other's keys, in this process. Each has a wire before it that counts.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cloudhsm::cluster::{Cluster, Dial};
use cloudhsm::config::Config;
use cloudhsm::hsm::{State, Version};
use cloudhsm::hsmd::keeping::folder::{CONFIG, SETTINGS};
use cloudhsm::hsmd::making::backup::Backup;
use cloudhsm::hsmd::making::init::{self, Names, NewCluster, identity};
use cloudhsm::hsmd::making::member;
use cloudhsm::hsmd::making::pki::Vouching;
use cloudhsm::hsmd::serving::run::Running;
use cloudhsm::interrupt::Interrupt;
use cloudhsm::protocol::device::Member;
use cloudhsm::protocol::key::KeyHandle;
use cloudhsm::wire::Limits;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::common::CHEAP;
use crate::region::Region;

/// All HSMs follow the keys of those with the same.
const NAME: &str = "cluster";

pub(crate) struct Members {
    home: TempDir,
    net: Ipv4Addr,
    port: u16,
    hsms: Vec<Option<Running>>,
    traffic: Arc<Traffic>,
}

/// What the HSMs have said to each other.
#[derive(Default)]
struct Traffic {
    exchanges: AtomicU64,
    bytes: AtomicU64,
}

/// Some of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count {
    pub(crate) exchanges: u64,
    pub(crate) bytes: u64,
}

impl Members {
    /// Running, with a CU alice on each, who is logged in there.
    pub(crate) async fn start(nodes: u32) -> (Self, Region) {
        let (net, port) = unused_net();
        let home = tempfile::tempdir().unwrap();
        let (names, vouching) = (Names::Random, Vouching::MadeHere);
        let new = NewCluster { nodes, net, port, names, password_hash: CHEAP, vouching };
        init::cluster(&home.path().join("cluster"), &new).unwrap();
        let hsms = (0..nodes).map(|_| None).collect();
        let mut members = Self { home, net, port, hsms, traffic: Arc::default() };
        for node in 0..nodes {
            members.lay_wire(node).await;
            members.run(node).await;
        }
        let mut region = Region::open(members.console()).await;
        region.activate().await;
        region.create_user("alice").await;
        region.as_cu("alice").await;
        (members, region)
    }

    /// Starts an HSM, which then asks all others.
    pub(crate) async fn run(&mut self, node: u32) {
        self.set(node, "members", serde_json::to_value(self.all()).unwrap());
        self.set(node, "follow_keys_seconds", 1.into());
        let running = Running::start(&self.folder(node), None).await.unwrap();
        running.follow_keys_in(NAME);
        self.hsms[node as usize] = Some(running);
    }

    pub(crate) async fn stop(&mut self, node: u32) {
        self.hsms[node as usize].take().unwrap().stop().await;
    }

    /// A folder for one more HSM, which does not run yet, made of a backup of this one.
    pub(crate) async fn make_another(&mut self, of: u32) -> u32 {
        let node = u32::try_from(self.hsms.len()).unwrap();
        self.hsms.push(None);
        let backup = Backup::of(&self.folder(of)).unwrap();
        let own = identity(Names::Random, node).unwrap();
        member::joining(&self.folder(node), &own, &self.all(), &backup).unwrap();
        self.set(node, "listen", SocketAddr::from((self.address(node), self.port)).to_string().into());
        self.lay_wire(node).await;
        node
    }

    /// Says to those that run who all members are.
    pub(crate) fn tell(&self, nodes: &[u32]) {
        let members: Vec<Member> = nodes.iter().map(|node| self.member(*node)).collect();
        self.hsms.iter().flatten().for_each(|hsm| hsm.set_members(&members));
    }

    /// The console's configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.home.path().join("cluster").join(CONFIG)
    }

    pub(crate) fn console(&self) -> Cluster {
        let config = Config::load(&self.config()).unwrap();
        let dials = config.servers().map(|server| Dial::new(server).unwrap()).collect();
        Cluster::new(dials, Limits::default(), Interrupt::default())
    }

    /// What is said from now on is counted from nothing.
    pub(crate) fn count(&self) -> Count {
        let take = |number: &AtomicU64| number.swap(0, Ordering::SeqCst);
        Count { exchanges: take(&self.traffic.exchanges), bytes: take(&self.traffic.bytes) }
    }

    /// The version of a key on an HSM that runs; `None` also if its deletion is forgotten.
    pub(crate) async fn version(&self, node: u32, handle: KeyHandle) -> Option<Version> {
        let engine = self.hsms[node as usize].as_ref().unwrap().engine().unwrap();
        engine.snapshot().await.unwrap().version(handle)
    }

    /// How many keys an HSM has.
    pub(crate) async fn keys(&self, node: u32) -> usize {
        let engine = self.hsms[node as usize].as_ref().unwrap().engine().unwrap();
        engine.snapshot().await.unwrap().versions().count()
    }

    /// Waits until a key is like this on all HSMs that run. On those that are named it is never there meanwhile.
    pub(crate) async fn wait(
        &self,
        handle: KeyHandle,
        without: &[u32],
        is_so: impl Fn(Option<State>) -> bool,
    ) {
        let start = Instant::now();
        loop {
            let mut are_so = true;
            for node in 0..u32::try_from(self.hsms.len()).unwrap() {
                if self.hsms[node as usize].is_some() {
                    let state = self.version(node, handle).await.map(|version| version.state);
                    let is_there = state.is_some_and(|state| state != State::DELETED);
                    assert!(!is_there || !without.contains(&node), "the key is back on {node}");
                    are_so &= is_so(state);
                }
            }
            if are_so {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(120), "it never is");
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn folder(&self, node: u32) -> PathBuf {
        self.home.path().join(format!("cluster/hsm{node}"))
    }

    fn all(&self) -> Vec<Member> {
        (0..u32::try_from(self.hsms.len()).unwrap()).map(|node| self.member(node)).collect()
    }

    /// Behind its wire.
    fn member(&self, node_id: u32) -> Member {
        Member { node_id, hostname: self.address(node_id).to_string(), port: self.port + 1 }
    }

    fn address(&self, node: u32) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.net) + node + 1)
    }

    fn set(&self, node: u32, key: &str, value: Value) {
        let path = self.folder(node).join(SETTINGS);
        let mut settings: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        settings[key] = value;
        std::fs::write(path, settings.to_string()).unwrap();
    }

    async fn lay_wire(&self, node: u32) {
        let listener = TcpListener::bind((self.address(node), self.port + 1)).await.unwrap();
        let (hsm, traffic) = (SocketAddr::from((self.address(node), self.port)), Arc::clone(&self.traffic));
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                tokio::spawn(pass(caller, hsm, Arc::clone(&traffic)));
            }
        });
    }
}

async fn pass(mut caller: TcpStream, hsm: SocketAddr, traffic: Arc<Traffic>) -> Option<()> {
    let mut hsm = TcpStream::connect(hsm).await.ok()?;
    traffic.exchanges.fetch_add(1, Ordering::SeqCst);
    let (to, back) = copy_bidirectional(&mut caller, &mut hsm).await.ok()?;
    traffic.bytes.fetch_add(to + back, Ordering::SeqCst);
    Some(())
}

/// Loopback addresses and two ports: other tests run in this process and in others.
fn unused_net() -> (Ipv4Addr, u16) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let (process, count) = (process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
    let port = u16::try_from(30_000 + process / 200 % 1000 * 2).unwrap();
    let third = u8::try_from(100 + count).unwrap();
    (Ipv4Addr::new(127, u8::try_from(16 + process % 200).unwrap(), third, 0), port)
}
