//! A cluster as full as the scale says, before anything goes wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use cloudhsm::cluster::{Dial, Failure};
use cloudhsm::config::Config;
use cloudhsm::protocol::Secret;
use cloudhsm::protocol::user::{CreateUser, UserType};
use cloudhsm::wire::link::Address;
use futures_util::future::join_all;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use crate::cluster::{CO_PASSWORD, Cluster};
use crate::desk::Desk;
use crate::figures::Figures;
use crate::keysmiths;
use crate::model::{Said, said};
use crate::nodes::{Node, on_small_disk};
use crate::strangers::VICTIM;
use crate::worker::{self, Worker};
use crate::world::{SERVERS, Scale, World};
use cloudhsm::hsmd::faults::Relay;

/// Left free, for what consoles make.
const FREE_KEYS: usize = 60;
const FREE_USERS_OF_A_CONSOLE: usize = 25;

/// Those who fill the HSMs with users.
const CLERKS: usize = 6;

const ATTEMPTS: u32 = 20;

/// An activated cluster, each HSM with a process of its own, and relays before them.
pub(crate) async fn world(seed: u64, scale: Scale) -> World {
    let servers = u32::try_from(SERVERS).unwrap();
    let cluster = Arc::new(Cluster::activated(servers));
    (0..servers).for_each(|number| follow_nobody(&cluster, number));
    let last = cluster.path(&format!("hsm{}", servers - 1));
    let mut small_disk = on_small_disk(&last, scale.disk_mebibytes);
    let nodes = (0..servers).map(|number| {
        let small_disk = if number == servers - 1 { small_disk.take() } else { None };
        Node::start(&cluster, number, small_disk)
    });
    let nodes: Vec<Node> = nodes.collect();
    let config = Config::load(&cluster.config()).unwrap();
    let direct: Vec<Dial> = config.servers().map(|server| Dial::new(server).unwrap()).collect();
    let mut relays = Vec::new();
    for (number, node) in (0..).zip(&nodes) {
        let (hsm, any_port) =
            (crate::client::socket_address(&cluster, number), "127.0.0.1:0".parse().unwrap());
        relays.push(Relay::start_for(&node.folder(), hsm, any_port).unwrap());
    }
    let to_relay =
        |(dial, relay): (&Dial, &Relay)| Dial { address: Address::Socket(relay.address), ..dial.clone() };
    let relayed = direct.iter().zip(&relays).map(to_relay).collect();
    write_config(&cluster, &relays);
    World {
        seed,
        scale,
        cluster,
        nodes,
        relays: Mutex::new(relays),
        direct,
        relayed,
        figures: Figures::default(),
        runtime: Handle::current(),
        until: OnceLock::new(),
    }
}

/// Keys that follow would bring a server what it has missed: then it may hold more than it has acknowledged itself.
fn follow_nobody(cluster: &Cluster, number: u32) {
    let path = cluster.path(&format!("hsm{number}/hsmd.json"));
    let mut settings: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    settings["follow_keys_seconds"] = Value::Null;
    fs::write(path, settings.to_string()).unwrap();
}

/// The configuration of consoles; every other one goes through the relays.
pub(crate) fn config(cluster: &Cluster, number: usize) -> PathBuf {
    if number.is_multiple_of(2) { cluster.config() } else { cluster.path("relayed.cfg") }
}

fn write_config(cluster: &Cluster, relays: &[Relay]) {
    let mut config: Value = serde_json::from_slice(&fs::read(cluster.config()).unwrap()).unwrap();
    for (server, relay) in config["servers"].as_array_mut().unwrap().iter_mut().zip(relays) {
        server["hostname"] = relay.address.ip().to_string().into();
        server["port"] = relay.address.port().into();
    }
    let path: &Path = &cluster.path("relayed.cfg");
    fs::write(path, config.to_string()).unwrap();
}

/// Makes all users, and the workers with their keys.
pub(crate) async fn fill(world: &Arc<World>) -> Vec<Worker> {
    let Scale { users, keys, workers, consoles, .. } = world.scale;
    let mut new = vec![(VICTIM.to_owned(), "the victim's")];
    new.extend((0..workers).map(|number| (format!("worker{number}"), worker::PASSWORD)));
    new.extend((0..consoles).map(|number| (format!("keysmith{number}"), keysmiths::PASSWORD)));
    // The HSM is made with two.
    let idle = (users - 2).saturating_sub(new.len() + consoles * FREE_USERS_OF_A_CONSOLE);
    new.extend((0..idle).map(|number| (format!("idle{number}"), worker::PASSWORD)));
    let began = Instant::now();
    join_all((0..CLERKS).map(|clerk| make_users(world, new.iter().skip(clerk).step_by(CLERKS)))).await;
    println!("{} users made in {:.0?}", new.len(), began.elapsed());
    let began = Instant::now();
    let each = (keys - FREE_KEYS) / workers;
    let filling = (0..workers).map(|number| tokio::spawn(Worker::new(world, number, each).fill()));
    let filled = join_all(filling).await.into_iter().map(|worker| worker.expect("a worker panicked"));
    let filled = filled.collect();
    println!("{} keys made in {:.0?}", each * workers, began.elapsed());
    filled
}

async fn make_users<'a>(world: &Arc<World>, users: impl Iterator<Item = &'a (String, &'static str)>) {
    let mut desk = Desk::new(world, &world.direct, UserType::Co, "admin", CO_PASSWORD).patient();
    for (name, password) in users {
        let password = Secret::new((*password).to_owned());
        let user = CreateUser { user_type: UserType::Cu, name: name.clone(), password, second_factor: None };
        make_user(&mut desk, &user).await;
    }
}

/// On a busy machine an HSM may not be reached at once.
async fn make_user(desk: &mut Desk, user: &CreateUser) {
    for _ in 0..ATTEMPTS {
        desk.ready().await;
        let answers = desk.change(user.clone()).await;
        let is_there = |failure: &Failure| said(failure) == Said::Present;
        if answers.iter().all(|answer| answer.as_ref().err().is_none_or(is_there)) {
            return;
        }
    }
    desk.wrong(&format!("user {} was not made", user.name));
}
