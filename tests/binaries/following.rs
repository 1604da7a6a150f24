//! HSMs of a cluster bring each other's keys up to date, each in a process of its own.

use crate::cluster::{CO_PASSWORD, Cluster};
use crate::process::{Ended, Process, keys, run, text, wait_until};

const LOGIN: [&str; 7] = ["loginHSM", "-u", "CU", "-s", "alice", "-p", "crypto12"];

/// Two HSMs with a CU, that ask each other every second.
fn two() -> (Cluster, Process, Process) {
    let cluster = Cluster::activated(2);
    cluster.follow_keys(Some(1));
    let (first, second) = (cluster.run_hsm(0), cluster.run_hsm(1));
    cluster.play(&format!("loginHSM CO admin {CO_PASSWORD}\ncreateUser CU alice crypto12\ny\n")).with_code(0);
    (cluster, first, second)
}

fn single(cluster: &Cluster, command: &str) -> Ended {
    let config = cluster.config();
    let words = [text(&config), "singlecmd"].into_iter().chain(LOGIN).chain(command.split(' '));
    run(&mut keys(&words.collect::<Vec<_>>()), "")
}

/// The lines with the hash of each HSM's keys.
fn hashes(cluster: &Cluster) -> Vec<String> {
    let found = cluster.play(&format!("loginHSM CO admin {CO_PASSWORD}\nfindAllKeys 3 1\n"));
    found.stdout.lines().filter(|line| line.contains("Keys")).map(str::to_owned).collect()
}

#[test]
fn a_key_made_while_an_hsm_was_down_is_there_after_its_restart_and_a_deleted_one_is_not() {
    let (cluster, _first, second) = two();
    single(&cluster, "genSymKey -t 31 -s 32 -l old").with_code(0);
    second.kill();
    single(&cluster, "genSymKey -t 31 -s 32 -l new").with_code(1);
    single(&cluster, "deleteKey -k 6").with_code(1);
    let second = cluster.run_hsm(1);
    second.wait_for_log("keys brought up to date");
    println!("{:?} {:?}", hashes(&cluster), second.log());
    panic!("look");
}
