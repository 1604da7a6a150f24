//! Two operators who run syncHSM at the same time: the HSMs end equal, or somebody is told, and nothing is lost.

use cloudhsm::protocol::user::{ChangePassword, UserType};
use tokio::join;

use crate::common::TestCluster;
use crate::deeds::Contents;
use crate::drift::{contents, play};
use crate::region::{AES, Region, secret};

/// Each server has a user and keys of its own, and alice has another password and other keys on each.
async fn apart() -> TestCluster {
    let cluster = TestCluster::start(3).await;
    let mut region = Region::activated(&cluster).await;
    region.create_user("alice").await;
    for server in 0..3 {
        let (user_type, name) = (UserType::Cu, "alice".to_owned());
        let password = secret(&format!("password{server}"));
        let change = ChangePassword { user_type, name, password, second_factor: None };
        region.ask(server, change).await.unwrap();
        let name = format!("user{server}");
        region.create_user_on(server, &name).await;
        region.as_cu_on(server, &name).await;
        for _ in 0..40 {
            region.generate(server, AES).await;
        }
    }
    cluster
}

fn is_success(told: &str) -> bool {
    told.contains("\nsyncHSM success\n")
}

fn says_why(told: &str) -> bool {
    ["failed", "differs from server", "not copied or in doubt"].iter().any(|why| told.contains(why))
}

fn is_like(source: &Contents, destination: &Contents) -> bool {
    destination.made_like(source) == *destination
}

/// Runs both; returns what they told, and what there was before and after.
async fn both(
    cluster: &TestCluster,
    ways: [(usize, usize); 2],
) -> ([String; 2], Vec<Contents>, Vec<Contents>) {
    let before = contents(cluster).await;
    let [one, other] = ways.map(|(from, to)| play(cluster, &format!("server {from}\nsyncHSM {to}\n")));
    let (one, other) = join!(one, other);
    let told = [one.unwrap(), other.unwrap()];
    let after = contents(cluster).await;
    assert!(told.iter().all(|told| is_success(told) || says_why(told)), "{told:?}");
    for (server, now) in after.iter().enumerate() {
        let has_all = |old: &Contents| {
            old.users.keys().all(|name| now.users.contains_key(name))
                && old.keys.keys().all(|handle| now.keys.contains_key(handle))
        };
        assert!(has_all(&before[server]), "{told:?}");
        for (name, user) in &now.users {
            let was_somewhere = before.iter().any(|old| old.users.get(name) == Some(user));
            assert!(was_somewhere, "{name:?} on server {server}: {told:?}");
        }
    }
    (told, before, after)
}

/// A third run settles what the two have left.
async fn settled(cluster: &TestCluster, from: usize) {
    let told = play(cluster, &format!("server {from}\nsyncHSM all\n")).await.unwrap();
    assert!(is_success(&told), "{told}");
    let after = contents(cluster).await;
    assert!(after.iter().all(|there| is_like(&after[from], there)), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_copy_the_same_copy_it_once() {
    let cluster = apart().await;
    let (told, before, after) = both(&cluster, [(0, 2), (0, 2)]).await;
    assert!(is_like(&before[0], &after[2]) || told.iter().any(|told| !is_success(told)), "{told:?}");
    settled(&cluster, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_copy_from_different_servers_bring_both() {
    let cluster = apart().await;
    let (told, before, after) = both(&cluster, [(0, 2), (1, 2)]).await;
    if told.iter().all(|told| is_success(told)) {
        let keys = |source: &Contents| source.keys.iter().all(|(handle, key)| after[2].keys[handle] == *key);
        assert!(keys(&before[0]) && keys(&before[1]), "{told:?}");
        // The later one has replaced alice.
        assert!(is_like(&before[0], &after[2]) || is_like(&before[1], &after[2]), "{told:?}");
    }
    settled(&cluster, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_copy_in_opposite_directions_end_equal_or_are_told() {
    for _ in 0..3 {
        let cluster = apart().await;
        let (told, _, after) = both(&cluster, [(0, 1), (1, 0)]).await;
        let alice = (UserType::Cu, "alice".to_owned());
        if told.iter().all(|told| is_success(told)) {
            assert_eq!(after[0].users[&alice], after[1].users[&alice], "{told:?}");
            assert_eq!(after[0], after[1], "{told:?}");
        }
        settled(&cluster, 0).await;
    }
}
