//! Whether all that was acknowledged is there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cloudhsm::cluster::Dial;
use cloudhsm::protocol::Operation;
use cloudhsm::protocol::attribute::{Attributes, ReadAttributes};
use cloudhsm::protocol::key::{DeleteKey, FindKeys, KeyClass, KeyHandle};
use cloudhsm::protocol::user::UserType;
use serde_json::Value;

use crate::client::{PATIENT, ask, connect, login};
use crate::cluster::CO_PASSWORD;
use crate::desk::Desk;
use crate::model::{Book, Cell};
use crate::officers::{Officer, password};
use crate::process::{console, run, text};
use crate::worker::{label, number};
use crate::world::{SERVERS, World};

const ATTEMPTS: u32 = 20;

/// What a server has of a user's keys.
type Found = BTreeMap<KeyHandle, Key>;

struct Key {
    /// Of its label.
    number: Option<u64>,
    class: KeyClass,
    kcv: Option<[u8; 3]>,
}

/// Compares the keys of one user with its book, and makes all servers equal.
pub(crate) async fn keys(world: &Arc<World>, name: &str, password: &str, book: &Book) {
    let mut desk = Desk::new(world, &world.direct, UserType::Cu, name, password).patient();
    desk.ready().await;
    let mut found = Vec::new();
    for server in 0..SERVERS {
        let Some(keys) = keys_on(&mut desk, server, book).await else {
            return desk.wrong(&format!("server {server} does not say which keys there are"));
        };
        compare(&desk, book, server, &keys);
        found.push(keys);
    }
    compare_servers(&desk, &found);
    make_equal(&mut desk, &found).await;
}

async fn keys_on(desk: &mut Desk, server: usize, book: &Book) -> Option<Found> {
    let mut found = Found::new();
    for handle in own_handles(desk, server, book).await? {
        let Attributes { label, class, kcv, .. } = asked(desk, server, ReadAttributes { handle }).await?;
        found.insert(handle, Key { number: number(&label), class, kcv });
    }
    Some(found)
}

/// The user's own keys. Everybody finds the public keys of everybody.
async fn own_handles(desk: &mut Desk, server: usize, book: &Book) -> Option<BTreeSet<KeyHandle>> {
    let mut handles = BTreeSet::new();
    for class in [KeyClass::Secret, KeyClass::Private] {
        handles.extend(asked(desk, server, FindKeys { class: Some(class), ..FindKeys::default() }).await?);
    }
    let public = FindKeys { class: Some(KeyClass::Public), ..FindKeys::default() };
    let public = asked(desk, server, public).await?;
    handles.extend(public.into_iter().filter(|handle| book.keys.contains_key(handle)));
    for (_, number) in book.orphans.iter().filter(|(of, _)| *of == server) {
        let label = Some(label(&desk.name, *number));
        handles.extend(asked(desk, server, FindKeys { label, ..FindKeys::default() }).await?);
    }
    Some(handles)
}

/// On a busy machine an HSM may not be reached at once.
async fn asked<O: Operation + Clone>(desk: &mut Desk, server: usize, operation: O) -> Option<O::Reply> {
    for _ in 0..ATTEMPTS {
        if let Ok(reply) = desk.perform(server, operation.clone()).await {
            return Some(reply);
        }
        desk.ready().await;
    }
    None
}

fn compare(desk: &Desk, book: &Book, server: usize, found: &Found) {
    let figures = &desk.world.figures;
    let handles: BTreeSet<KeyHandle> = book.keys.keys().chain(found.keys()).copied().collect();
    for handle in handles {
        let is = found.get(&handle).and_then(|key| key.number);
        if book.allows(server, handle, is) {
            figures.count("verified at the end: keys, on each server");
        } else {
            let cell = book.keys.get(&handle).map(|cells| &cells[server]);
            desk.wrong(&format!("at the end, key {handle} on server {server} is {is:?}, expected {cell:?}"));
        }
        let has_doubt = |cells: &Vec<Cell<_>>| cells[server].values().count() > 1;
        if book.keys.get(&handle).is_some_and(has_doubt) {
            figures.count("keys in doubt at the end, on each server");
        }
    }
    // The halves of a pair share their label.
    let own = found.values().filter(|key| key.class != KeyClass::Public);
    let labels: Vec<_> = own.filter_map(|key| key.number).collect();
    let once: BTreeSet<_> = labels.iter().collect();
    if labels.len() > once.len() {
        desk.wrong(&format!("server {server} has made a key twice: {labels:?}"));
    }
}

/// Copies under one handle are copies of one key.
fn compare_servers(desk: &Desk, found: &[Found]) {
    for (handle, key) in &found[0] {
        for (server, other) in found.iter().enumerate().skip(1) {
            if other.get(handle).is_some_and(|other| other.kcv != key.kcv) {
                desk.wrong(&format!("key {handle} is another one on server {server}"));
            }
        }
    }
}

/// Deletes what a server lacks from the others, as its owner would who has seen it.
async fn make_equal(desk: &mut Desk, found: &[Found]) {
    let all: BTreeSet<KeyHandle> = found.iter().flat_map(Found::keys).copied().collect();
    for handle in all.into_iter().filter(|handle| !found.iter().all(|keys| keys.contains_key(handle))) {
        desk.world.figures.count("keys that not all servers had, deleted at the end");
        for server in (0..SERVERS).filter(|server| found[*server].contains_key(&handle)) {
            if asked(desk, server, DeleteKey { handle }).await.is_none() {
                desk.wrong(&format!("key {handle} cannot be deleted from server {server}"));
            }
        }
    }
}

/// Compares the users of an officer with what the servers list, and logs them in.
pub(crate) async fn users(world: &Arc<World>, officer: &Officer, listed: &[Value]) {
    for (server, row) in listed.iter().enumerate() {
        officer.compare(server, &row["data"]["users"]);
        let there: BTreeSet<&str> = row["data"]["users"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|user| user["name"].as_str())
            .collect();
        for (name, cells) in officer.users.iter().filter(|(name, _)| there.contains(name.as_str())) {
            let passwords: Vec<u64> = cells[server].values().copied().flatten().collect();
            if is_let_in(&world.direct[server], name, &passwords).await {
                world.figures.count("verified at the end: users with their passwords, on each server");
            } else {
                world.figures.wrong(format!("{name} is not let in on {server} with any of {passwords:?}"));
            }
        }
    }
}

async fn is_let_in(dial: &Dial, name: &str, passwords: &[u64]) -> bool {
    for number in passwords {
        let Some(link) = connect(dial, &PATIENT).await else { return false };
        if let Some((_, Ok(_))) = ask(link, login(UserType::Cu, name, &password(*number))).await {
            return true;
        }
    }
    false
}

/// What the real console shows of every server, one row each.
pub(crate) fn rows(world: &World, command: &str) -> Vec<Value> {
    let login = format!("loginHSM CO admin {CO_PASSWORD}");
    let config = world.cluster.config();
    let arguments = [text(&config), "--output", "json", "-c", &login, "-c", command];
    let shown = || run(&mut console(&arguments), "");
    let shown = (1..ATTEMPTS).map(|_| shown()).find(|ended| ended.code == Some(0)).unwrap_or_else(shown);
    let last: Value = serde_json::from_str(shown.with_code(0).stdout.lines().last().unwrap()).unwrap();
    last["servers"].as_array().unwrap().clone()
}

/// Handles, material, owners and sharers are the same everywhere.
pub(crate) fn hashes(world: &World) {
    let hashes: BTreeSet<String> =
        rows(world, "findAllKeys 0 1").iter().map(|row| row["data"]["hash"].to_string()).collect();
    match hashes.len() {
        1 => world.figures.line("hashes of all keys", "equal on all servers"),
        _ => world.figures.wrong(format!("the servers have not the same keys: {hashes:?}")),
    }
}
