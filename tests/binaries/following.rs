//! HSMs of a cluster bring each other's keys up to date, each in a process of its own.

use std::sync::Arc;

use cloudhsm::wire::Limits;
use cloudhsm::wire::frame::encode;
use cloudhsm::wire::link::{Address, Link};
use cloudhsm::wire::verifier::{Trust, client_config};
use serde_json::Value;

use crate::cluster::{CO_PASSWORD, Cluster};
use crate::metrics::{endpoint, page};
use crate::process::{Ended, Process, console, hsmd, keys, run, text, wait_until};

const LOGIN: [&str; 7] = ["loginHSM", "-u", "CU", "-s", "alice", "-p", "crypto12"];
pub(crate) const FOLLOWED: &str = "keys brought up to date";

/// Two HSMs with a CU, that ask each other every second.
pub(crate) fn two() -> (Cluster, Process, Process) {
    let cluster = Cluster::activated(2);
    cluster.follow_keys(Some(1));
    let (first, second) = (cluster.run_hsm(0), cluster.run_hsm(1));
    officer(&cluster, "createUser CU alice crypto12\ny");
    (cluster, first, second)
}

pub(crate) fn officer(cluster: &Cluster, commands: &str) -> Ended {
    cluster.play(&format!("loginHSM CO admin {CO_PASSWORD}\n{commands}\n"))
}

pub(crate) fn single(cluster: &Cluster, command: &str) -> Ended {
    let config = cluster.config();
    let words = [text(&config), "singlecmd"].into_iter().chain(LOGIN).chain(command.split(' '));
    run(&mut keys(&words.collect::<Vec<_>>()), "")
}

/// Has alice label her key on the servers of the configuration.
fn label(cluster: &Cluster, label: &str) {
    cluster.play(&format!("loginHSM CU alice crypto12\nsetAttribute 6 3 {label}\ny\n")).with_code(0);
}

/// The keys of alice on each HSM that runs, with the hash of all keys there.
pub(crate) fn held(cluster: &Cluster) -> Vec<String> {
    let found = officer(cluster, "findAllKeys 3 1").stdout;
    let listings = found.split("number of keys matched").skip(1);
    listings.map(|listing| listing.lines().skip(1).take(3).collect::<Vec<_>>().join(" ")).collect()
}

pub(crate) fn keys_of(held: &[String]) -> Vec<&str> {
    held.iter().map(|listing| listing.split(' ').next().unwrap()).collect()
}

#[test]
fn a_key_made_while_an_hsm_was_down_is_there_after_its_restart_and_a_deleted_one_is_not() {
    let (cluster, _first, second) = two();
    single(&cluster, "genSymKey -t 31 -s 32 -l old").with_code(0);
    second.kill();
    single(&cluster, "genSymKey -t 31 -s 32 -l new").with_code(1);
    single(&cluster, "genECCKeyPair -i 2 -l pair").with_code(1);
    single(&cluster, "deleteKey -k 6").with_code(1);
    let second = cluster.run_hsm(1);
    second.wait_for_log(FOLLOWED);
    let held_there = held(&cluster);
    assert_eq!(keys_of(&held_there), ["7(o),8(o),9(o)"; 2]);
    assert_eq!(held_there[0], held_there[1]);
    // As the AU, on both sides, and as a chain without a gap.
    for (node, taken) in [(0, "CN_EXTRACT_MASKED_OBJECT_USER"), (1, "CN_INSERT_MASKED_OBJECT_USER")] {
        let audit = run(&mut hsmd(&["audit", text(&cluster.path(&format!("hsm{node}")))]), "").with_code(0);
        let (_, by_the_au) = audit.stdout.rsplit_once("User Name : app_user").unwrap();
        assert_eq!(by_the_au.matches(taken).count(), 3, "{by_the_au}");
        assert_eq!(by_the_au.matches("CN_DESTROY_OBJECT").count(), node, "{by_the_au}");
    }
}

#[test]
fn a_member_that_was_away_gives_what_it_has_and_nobody_gets_users() {
    let (cluster, first, _second) = two();
    first.kill();
    let both = cluster.servers();
    cluster.write_servers(&both[1..]);
    officer(&cluster, "createUser CU bob crypto12\ny").with_code(0);
    single(&cluster, "genSymKey -t 31 -s 32 -l while_away").with_code(0);
    let first = cluster.run_hsm(0);
    first.wait_for_log(FOLLOWED);
    cluster.write_servers(&both[..1]);
    assert_eq!(keys_of(&held(&cluster)), ["131078(o)"]);
    let users = officer(&cluster, "listUsers").stdout;
    assert!(users.contains("alice") && !users.contains("bob"), "{users}");
}

#[test]
fn a_key_waits_until_its_owner_is_there_and_monitoring_says_so() {
    let (cluster, first, second) = two();
    second.kill();
    let both = cluster.servers();
    cluster.write_servers(&both[..1]);
    officer(&cluster, "createUser CU bob crypto12\ny").with_code(0);
    let config = cluster.config();
    let words = [text(&config), "singlecmd", "loginHSM", "-u", "CU", "-s", "bob", "-p", "crypto12"];
    let make = ["genSymKey", "-t", "31", "-s", "32", "-l", "bobs"];
    run(&mut keys(&[&words[..], &make].concat()), "").with_code(0);
    let folder = cluster.path("hsm1");
    let second = Process::start(&mut hsmd(&["run", text(&folder), "--metrics", &endpoint(&cluster)]));
    second.wait_for_log("a newer key waits");
    wait_until(|| page(&cluster).each("hsmd_keys_behind") == [1]);
    cluster.write_servers(&both);
    officer(&cluster, "server 1\ncreateUser CU bob crypto12\ny\nexit").with_code(0);
    second.wait_for_log(FOLLOWED);
    wait_until(|| page(&cluster).each("hsmd_keys_behind") == [0]);
    assert_eq!(page(&cluster).each("hsmd_keys_followed_total"), [1]);
    drop(first);
}

#[test]
fn what_was_changed_on_both_sides_stays_until_somebody_decides() {
    let (cluster, first, second) = two();
    single(&cluster, "genSymKey -t 31 -s 32 -l key").with_code(0);
    let both = cluster.servers();
    drop(second);
    cluster.write_servers(&both[..1]);
    label(&cluster, "one");
    drop(first);
    let second = cluster.run_hsm(1);
    cluster.write_servers(&both[1..]);
    label(&cluster, "other");
    let first = cluster.run_hsm(0);
    for hsm in [&first, &second] {
        hsm.wait_for_log("changed on both HSMs: it stays as it is");
    }
    let label_on = |server: &Value| {
        cluster.write_servers(std::slice::from_ref(server));
        let shown = cluster.play("loginHSM CU alice crypto12\ngetAttribute 6 3\n").with_code(0).stdout;
        shown.split("OBJ_ATTR_LABEL\n").nth(1).unwrap().lines().next().unwrap().to_owned()
    };
    assert_eq!([label_on(&both[0]), label_on(&both[1])], ["one", "other"]);
    cluster.write_servers(&both);
    let compared = officer(&cluster, "compareHSM").with_code(4).stdout;
    assert!(
        compared.contains(
            "\nKey 6: server 0: attributes A; server 1: attributes B (changed on both sides of a cut: it stays so until \
             syncKey or syncHSM)\n"
        ),
        "{compared}"
    );
    // A person decides.
    label(&cluster, "agreed");
    assert_eq!([label_on(&both[0]), label_on(&both[1])], ["agreed"; 2]);
    cluster.write_servers(&both);
    officer(&cluster, "compareHSM").with_code(0);
}

/// Deleted on one side and changed on the other.
#[test]
fn a_copy_decides_what_the_hsms_leave_to_a_person() {
    let (cluster, first, second) = two();
    single(&cluster, "genSymKey -t 31 -s 32 -l key").with_code(0);
    let both = cluster.servers();
    drop(second);
    single(&cluster, "deleteKey -k 6").with_code(1);
    drop(first);
    let second = cluster.run_hsm(1);
    cluster.write_servers(&both[1..]);
    label(&cluster, "changed");
    let first = cluster.run_hsm(0);
    for hsm in [&first, &second] {
        hsm.wait_for_log("changed on both HSMs: it stays as it is");
    }
    cluster.write_servers(&both);
    let login = format!("loginHSM CO admin {CO_PASSWORD}");
    let (config, compare) = (cluster.config(), ["--output", "json", "-c", &login, "-c", "compareHSM"]);
    let compared = run(&mut console(&[&[text(&config)], &compare[..]].concat()), "").with_code(4).stdout;
    let compared: Value = serde_json::from_str(compared.lines().last().unwrap()).unwrap();
    assert_eq!(compared["differences"][0]["unordered"], true, "{compared}");
    officer(&cluster, "server 1\nsyncHSM all\ny\nexit\ncompareHSM").with_code(0);
    assert_eq!(keys_of(&held(&cluster)), ["6(o)"; 2]);
}

#[test]
fn an_hsm_where_it_is_switched_off_neither_asks_nor_answers() {
    let (cluster, first, second) = two();
    drop((first, second));
    cluster.set(1, |settings| settings["follow_keys_seconds"] = Value::Null);
    let first = cluster.run_hsm(0);
    let second = cluster.run_hsm(1);
    first.wait_for_log("switched off in its hsmd.json");
    drop(second);
    single(&cluster, "genSymKey -t 31 -s 32 -l key").with_code(1);
    let second = cluster.run_hsm(1);
    assert_eq!(keys_of(&held(&cluster)), ["6(o)", ""]);
    assert!(!second.log().contains("keys follow"), "{}", second.log());
}

#[test]
fn members_need_no_certificates_of_clients() {
    let (cluster, first, second) = two();
    drop(second);
    single(&cluster, "genSymKey -t 31 -s 32 -l key").with_code(1);
    drop(first);
    for node in [0, 1] {
        cluster.set(node, |settings| settings["client_ca"] = "customerCA.crt".into());
    }
    let (first, second) = (cluster.run_hsm(0), cluster.run_hsm(1));
    second.wait_for_log(FOLLOWED);
    assert!(cluster.play("listUsers\n").with_code(3).stdout.is_empty() || !first.log().is_empty());
}

/// It has neither the cluster's key nor anything else.
#[test]
fn a_stranger_who_says_the_hello_of_a_member_is_turned_away() {
    let (cluster, _first, _second) = two();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let address = Address::Named(cluster.address(0), cluster.port);
    let open = || {
        let tls = Arc::new(client_config(Trust::Nobody, None).unwrap());
        runtime.block_on(Link::open_as(0x8001, &address, tls, &Limits::default())).unwrap()
    };
    let ask = |link: Link, frame| runtime.block_on(link.ask::<Result<(), u32>>(frame, &Limits::default()));
    let proof = encode(&([0_u8; 32], 1_u32, [0_u8; 32], vec![7_u8; 70])).unwrap();
    let (link, answer) = ask(open(), proof.clone()).unwrap();
    assert_eq!(answer, Err(0));
    // For all buckets, and for a key.
    for question in [encode(&0_u32).unwrap(), encode(&(2_u32, vec![6_u32])).unwrap()] {
        assert!(ask(open(), question).is_err());
    }
    assert!(ask(link, encode(&0_u32).unwrap()).is_err(), "it hangs up");
    assert!(ask(open(), vec![7; 2000].into()).is_err(), "more than a proof");
}

/// A clone has the cluster's own key, and another cluster of its own maker.
#[test]
fn an_hsm_of_another_cluster_gets_nothing_not_even_a_clone() {
    let (cluster, _first, second) = two();
    drop(second);
    single(&cluster, "genSymKey -t 31 -s 32 -l key").with_code(1);
    let backup = cluster.path("backup");
    run(&mut hsmd(&["backup", text(&cluster.path("hsm1")), "--out", text(&backup)]), "").with_code(0);
    let (stranger, clone) = (Cluster::activated(2), Cluster::clone_of(&backup, 2));
    for (other, reason) in [(stranger, "Certificate ERROR"), (clone, "does not take this HSM for a member")] {
        other.follow_keys(Some(1));
        // Both of its members are said to be this cluster's first HSM.
        other.set(1, |settings| {
            for member in settings["members"].as_array_mut().unwrap() {
                member["hostname"] = cluster.address(0).into();
                member["port"] = cluster.port.into();
            }
        });
        let hsm = other.run_hsm(1);
        hsm.wait_for_log(reason);
        assert!(!hsm.log().contains(FOLLOWED), "{}", hsm.log());
        let audit = run(&mut hsmd(&["audit", text(&cluster.path("hsm0"))]), "").with_code(0);
        assert!(!audit.stdout.contains("app_user"), "{}", audit.stdout);
    }
}
