//! syncHSM when a program dies in the middle of it: a second run copies what the first one did not, and nothing twice.

use std::thread;
use std::time::Duration;

use cloudhsm::hsm::FIRST_INDEX;
use cloudhsm::protocol::compare::PAGE;

use crate::cluster::{CO_PASSWORD, Cluster};
use crate::filling::make_keys;
use crate::process::{Ended, Process, hsmd, run, text, wait_until};

/// In several batches.
const KEYS: usize = 2000;

/// The handle of the first one.
const FIRST: usize = FIRST_INDEX as usize;

const ALICE: (&str, &str) = ("alice", "crypto12");

/// Server 0 has so many keys of alice, and server 1 has none.
fn two(keys: usize) -> (Cluster, Process, Process) {
    let cluster = Cluster::activated(2);
    let (source, destination) = (run_hsm(&cluster, 0), run_hsm(&cluster, 1));
    officer(&cluster, "createUser CU alice crypto12\ny\n").with_code(0);
    make_keys(&cluster.config(), 0, ALICE, keys);
    (cluster, source, destination)
}

/// Each call is in the log.
fn run_hsm(cluster: &Cluster, node: u32) -> Process {
    let folder = cluster.path(&format!("hsm{node}"));
    let daemon = Process::start(hsmd(&["run", text(&folder)]).env("RUST_LOG", "debug"));
    daemon.wait_for_log("ready");
    daemon
}

fn officer(cluster: &Cluster, commands: &str) -> Ended {
    cluster.play(&format!("loginHSM CO admin {CO_PASSWORD}\n{commands}"))
}

/// The console, asked whether it may begin.
fn about_to_copy(cluster: &Cluster) -> Process {
    let mut console = cluster.logged_in();
    console.send("server 0\nsyncHSM 1\n");
    console.wait_for("Do you want to continue(y/n)?");
    console
}

fn calls(daemon: &Process, name: &str) -> usize {
    daemon.log().matches(&format!("call=\"{name}\"")).count()
}

/// How many keys the destination holds, each of which was copied once.
fn copied(cluster: &Cluster) -> usize {
    let audit = run(&mut hsmd(&["audit", text(&cluster.path("hsm1"))]), "").with_code(0);
    audit.stdout.matches("CN_INSERT_MASKED_OBJECT_USER").count()
}

/// A second run copies the rest, and no more than that.
fn complete(cluster: &Cluster, total: usize) {
    let before = keys_there(cluster);
    // It asks only if there is something to copy.
    let answer = if before < total { "y\n" } else { "" };
    let again = officer(cluster, &format!("server 0\nsyncHSM all\n{answer}exit\ncompareHSM\n"));
    let again = again.with_code(0).stdout;
    let place = format!("server 1({})", cluster.address(1));
    let counted = match total - before {
        0 => format!("{place}: nothing to copy\n"),
        1 => format!("{place}: 0 users and 1 key copied\n"),
        rest => format!("{place}: 0 users and {rest} keys copied\n"),
    };
    assert!(again.contains(&counted), "{counted}{again}");
    assert!(again.contains("\nsyncHSM success\n"), "{again}");
    assert!(again.contains(&format!("and {total} keys are the same on servers 0,1\n")), "{again}");
    assert_eq!(copied(cluster), total, "no key was copied twice");
}

fn keys_there(cluster: &Cluster) -> usize {
    let found = officer(cluster, "server 1\nfindAllKeys 3 0\n").with_code(0).stdout;
    let (_, count) = found.split_once("Number of keys found ").unwrap();
    count.lines().next().unwrap().parse().unwrap()
}

#[test]
fn a_console_that_is_killed_is_run_again() {
    let (cluster, source, destination) = two(KEYS);
    let mut console = about_to_copy(&cluster);
    destination.signal("-STOP");
    console.send("y\n");
    // While the first batch waits at the destination, the source has given the second one.
    wait_until(|| calls(&source, "ExtractKeys") >= 2);
    console.wait_until_asleep();
    console.kill();
    destination.signal("-CONT");
    // Nobody heard of the batch that was under way.
    wait_until(|| copied(&cluster) > 0);
    let there = keys_there(&cluster);
    assert!(0 < there && there < KEYS, "{there}");
    complete(&cluster, KEYS);
}

#[test]
fn a_destination_that_is_killed_is_started_and_copied_to_again() {
    let (cluster, _source, mut destination) = two(KEYS);
    for (round, delay) in [0, 15].into_iter().enumerate() {
        let total = KEYS * (round + 1);
        let before = calls(&destination, "InsertKeys");
        let mut console = about_to_copy(&cluster);
        console.send("y\n");
        // The first is the rehearsal.
        wait_until(|| calls(&destination, "InsertKeys") >= before + 2);
        thread::sleep(Duration::from_millis(delay));
        destination.kill();
        let told = console.wait_for("server0>");
        console.send("quit\n");
        let ended = console.end();
        destination = run_hsm(&cluster, 1);
        let there = keys_there(&cluster);
        // Whatever it has acknowledged is there.
        let (acknowledged, _) = told.split_once(" keys copied").expect(&told);
        let acknowledged: usize = acknowledged.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(acknowledged + total - KEYS <= there, "{told}, {there}");
        let is_whole = told.contains("syncHSM success");
        assert!(is_whole || told.contains("Not compared afterwards: server 1("), "{told}");
        assert_eq!(ended.code, Some(if is_whole { 0 } else { 4 }), "{told}");
        complete(&cluster, total);
        make_keys(&cluster.config(), 0, ALICE, KEYS);
    }
}

#[test]
fn keys_of_several_pages_are_compared_and_copied() {
    let keys = PAGE.next_multiple_of(1000);
    let (cluster, source, _destination) = two(keys);
    complete(&cluster, keys);
    // The last ones, as handles count up.
    make_keys(&cluster.config(), 0, ALICE, 10);
    let before = calls(&source, "PrintKeys");
    let compared = officer(&cluster, "compareHSM\n").with_code(4).stdout;
    assert_eq!(calls(&source, "PrintKeys"), before + 2);
    let (from, to) = (FIRST + keys, FIRST + keys + 9);
    let expected = format!("Keys {from}-{to}: server 0: present; server 1: missing\n");
    assert!(compared.contains(&expected), "{expected}{compared}");
    complete(&cluster, keys + 10);
}
