//! Keys that follow in clusters of many HSMs, and in clusters whose members change.

use std::time::{Duration, Instant};

use cloudhsm::hsm::State;
use cloudhsm::protocol::key::{DeleteKey, KeyHandle};
use cloudhsm::protocol::user::{CreateUser, DeleteUser, ListUsers, UserType};
use tokio::select;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::filling::make_keys;
use crate::members::Members;
use crate::region::{AES, Region, secret};

/// As many as a cluster has at most.
const MANY: u32 = 32;

fn is_deleted(state: Option<State>) -> bool {
    state == Some(State::DELETED)
}

fn is_there(state: Option<State>) -> bool {
    state.is_some_and(|state| state != State::DELETED)
}

fn is_unknown(state: Option<State>) -> bool {
    state.is_none()
}

async fn make_key(region: &mut Region, node: usize) -> KeyHandle {
    region.generate(node, AES).await[0]
}

async fn delete(region: &mut Region, nodes: impl IntoIterator<Item = usize>, handle: KeyHandle) {
    for node in nodes {
        region.ask(node, DeleteKey { handle }).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_cluster_of_32_a_key_and_its_deletion_reach_all_and_nobody_talks_more_than_needed() {
    let (mut members, mut region) = Members::start(MANY).await;
    members.count();
    let start = Instant::now();
    let handle = make_key(&mut region, 0).await;
    members.wait(handle, &[], is_there).await;
    let made = (start.elapsed(), members.count());

    let away = [5, 12, 20, 31];
    for node in away {
        members.stop(node).await;
    }
    delete(&mut region, [0], handle).await;
    let start = Instant::now();
    members.wait(handle, &[], is_deleted).await;
    let deleted = (start.elapsed(), members.count());
    for node in away {
        members.run(node).await;
    }
    let start = Instant::now();
    let without: Vec<u32> = (0..MANY).filter(|node| !away.contains(node)).collect();
    members.wait(handle, &without, is_unknown).await;
    let forgotten = (start.elapsed(), members.count());

    sleep(Duration::from_secs(1)).await;
    members.count();
    let start = Instant::now();
    sleep(Duration::from_secs(3)).await;
    let quiet = (start.elapsed(), members.count());
    println!("a key on all {MANY}: {made:?}; deleted on those there: {deleted:?}");
    println!("forgotten by all: {forgotten:?}; quiet: {quiet:?}");
    // Fewer than if each asked each other one once; those that come back do that.
    let each = u64::from(MANY * (MANY - 1));
    assert!(made.1.exchanges < each && deleted.1.exchanges < each, "{made:?}, {deleted:?}");
    assert!(forgotten.1.exchanges < 2 * each, "{forgotten:?}");
    // One exchange for each HSM in a second.
    let (elapsed, quiet) = quiet;
    assert!(quiet.exchanges <= u64::from(MANY) * (elapsed.as_secs() + 2), "{elapsed:?}, {quiet:?}");
    assert!(quiet.bytes <= quiet.exchanges * 5000, "{quiet:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_a_removed_member_has_not_seen_is_forgotten_and_the_key_stays_away() {
    let (mut members, mut region) = Members::start(3).await;
    let handle = make_key(&mut region, 0).await;
    members.wait(handle, &[], is_there).await;
    members.stop(2).await;
    delete(&mut region, [0], handle).await;
    members.wait(handle, &[], is_deleted).await;
    // As long as it may come back.
    sleep(Duration::from_secs(2)).await;
    members.wait(handle, &[0, 1], is_deleted).await;
    members.tell(&[0, 1]);
    members.wait(handle, &[0, 1], is_unknown).await;
    members.run(2).await;
    sleep(Duration::from_secs(2)).await;
    for node in [0, 1] {
        assert_eq!(members.version(node, handle).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_made_of_an_older_backup_brings_back_nothing_that_was_deleted_since() {
    let (mut members, mut region) = Members::start(2).await;
    let (handle, kept) = (make_key(&mut region, 0).await, make_key(&mut region, 1).await);
    members.wait(handle, &[], is_there).await;
    members.wait(kept, &[], is_there).await;
    let joins = members.make_another(0).await;
    delete(&mut region, [0, 1], handle).await;
    members.wait(handle, &[], is_unknown).await;
    // Each of the two learns at another time that there is one more.
    members.run(joins).await;
    assert!(members.version(joins, handle).await.is_some(), "from the backup");
    members.tell(&[0, 1, joins]);
    members.wait(handle, &[0, 1], is_unknown).await;
    members.wait(kept, &[], is_there).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hsm_that_is_alone_remembers_no_deletions_until_another_one_joins() {
    let (mut members, mut region) = Members::start(1).await;
    let handle = make_key(&mut region, 0).await;
    let joins = members.make_another(0).await;
    delete(&mut region, [0], handle).await;
    members.wait(handle, &[0], is_unknown).await;
    members.run(joins).await;
    members.tell(&[0, joins]);
    members.wait(handle, &[0], is_unknown).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_is_remembered_for_one_that_is_away_is_remembered_for_one_that_joins_too() {
    let (mut members, mut region) = Members::start(3).await;
    let handle = make_key(&mut region, 0).await;
    members.wait(handle, &[], is_there).await;
    let joins = members.make_another(0).await;
    members.stop(2).await;
    delete(&mut region, [0, 1], handle).await;
    members.run(joins).await;
    members.tell(&[0, 1, 2, joins]);
    members.wait(handle, &[0, 1], is_deleted).await;
    members.run(2).await;
    members.wait(handle, &[0, 1, joins], is_unknown).await;
}

/// What a CO waits for, on an HSM and on one that catches up.
async fn time_commands(region: &mut Region) -> Duration {
    let (user_type, name, password) = (UserType::Co, "idle".to_owned(), secret("password1"));
    let start = Instant::now();
    for node in [0, 1] {
        let create =
            CreateUser { user_type, name: name.clone(), password: password.clone(), second_factor: None };
        region.ask(node, create).await.unwrap();
        region.ask(node, ListUsers).await.unwrap();
        region.ask(node, DeleteUser { user_type, name: name.clone() }).await.unwrap();
    }
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Other HSMs on the same machine, which have nothing to catch up with, are asked in turns.
#[tokio::test(flavor = "multi_thread")]
async fn an_officers_commands_do_not_wait_while_an_hsm_catches_up() {
    const KEYS: usize = 2000;
    let (mut members, _) = Members::start(2).await;
    let (_others, mut idle) = Members::start(2).await;
    members.stop(1).await;
    let config = members.config();
    spawn_blocking(move || make_keys(&config, 0, ("alice", "password1"), KEYS)).await.unwrap();
    members.run(1).await;
    let mut busy = Region::open(members.console()).await;
    busy.as_officer().await;
    idle.as_officer().await;
    let (mut meanwhile, mut otherwise, start) = (Vec::new(), Vec::new(), Instant::now());
    let catching_up = async {
        while members.keys(1).await < KEYS {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let commands = async {
        loop {
            meanwhile.push(time_commands(&mut busy).await);
            otherwise.push(time_commands(&mut idle).await);
        }
    };
    select! { () = catching_up => {}, () = commands => {} }
    let (count, caught_up) = (meanwhile.len(), start.elapsed());
    let [meanwhile, otherwise] = [meanwhile, otherwise].map(median);
    println!(
        "{KEYS} keys in {caught_up:?}; six commands {count} times: {meanwhile:?}, elsewhere {otherwise:?}"
    );
    assert!(
        count > 5 && meanwhile < otherwise * 3 + Duration::from_millis(20),
        "{meanwhile:?}, {otherwise:?}"
    );
}
