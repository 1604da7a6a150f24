//! `--fault`: what goes wrong on purpose.

use std::fs;

use serde_json::Value;

use crate::cluster::{Cluster, listed};
use crate::process::{Process, console, hsmd, keys, run, text};

#[test]
fn a_development_cluster_fails_as_it_is_told_and_says_so() {
    for (fault, code, shown) in [
        ("server 1 refuses", 3, "Connection to one of servers failed, exiting..."),
        ("server 1 is no HSM", 3, "Connection to one of servers failed, exiting..."),
        ("server 1 has another key", 0, "limited commands mode"),
        ("server 1 sends garbage after 0", 4, "listUsers failed on server 1(127.0.1.2)"),
        ("server 1 hangs up on a call after 0", 4, "listUsers failed on server 1(127.0.1.2)"),
        ("server 1 trickles after 0", 0, "Users on server 1(127.0.1.2):"),
    ] {
        let ended = run(&mut console(&["--dev", "2", "--fault", fault, "-c", "listUsers"]), "");
        assert_eq!(ended.code, Some(code), "{fault}: {} {}", ended.stdout, ended.stderr);
        let written = ended.stdout + &ended.stderr;
        assert!(written.contains(shown), "{fault}: {written}");
        assert!(written.contains(&format!("FAULT ON PURPOSE: {fault}\n")), "{fault}: {written}");
    }
}

#[test]
fn a_server_lacks_a_user() {
    let arguments = ["--dev", "2", "--fault", "server 1 lacks AU app_user", "-c", "listUsers"];
    let ended = run(&mut console(&arguments), "").with_code(0);
    assert_eq!(listed(&ended.stdout), [&["1 PRECO admin", "2 AU app_user"][..], &["1 PRECO admin"]]);
}

#[test]
fn what_cannot_happen_is_refused() {
    for (fault, why) in [
        ("server 7 refuses", "--fault server 7 refuses: there is no server 7"),
        ("server 1 lacks CU alice", "--fault server 1 lacks CU alice: HSM Error: This user doesn't exist"),
        ("server 1 lacks key 9", "--fault server 1 lacks key 9: HSM Error: Invalid object handle"),
        ("rain", "rain: not a fault; they are: server N refuses"),
    ] {
        for program in [console, keys] {
            let refused = run(&mut program(&["--dev", "2", "--fault", fault]), "").with_code(2);
            assert!(refused.stderr.contains(why), "{}", refused.stderr);
        }
    }
    let refused = run(&mut keys(&["--fault", "server 1 refuses"]), "").with_code(2);
    assert!(refused.stderr.contains("--fault is for a development cluster"), "{}", refused.stderr);
    let refused = run(&mut console(&["/none", "--fault", "server 1 refuses"]), "").with_code(2);
    assert!(refused.stderr.contains("cannot be used with"), "{}", refused.stderr);
}

/// An HSM that refuses from the start is there for a client that knows where to look, and its folder stays whole.
#[test]
fn a_cluster_of_processes_fails_as_it_is_told() {
    let cluster = Cluster::activated(2);
    let folder = cluster.path("");
    let faults = ["--fault", "server 1 dies after 0", "--fault", "server 0 clock +1 day"];
    let daemon = Process::start(&mut hsmd(&[&["run", text(&folder)][..], &faults].concat()));
    daemon.wait_for_log("ready");
    assert!(daemon.log().contains("FAULT ON PURPOSE: server 1 dies after 0"), "{}", daemon.log());
    let ended = cluster.play("listUsers\n").with_code(4);
    assert_eq!(listed(&ended.stdout), [["1 CO admin", "2 AU app_user"]]);
    cluster.play("listUsers\n").with_code(3);
    daemon.signal("-TERM");
    daemon.end().with_code(0);
    let daemon = cluster.run();
    assert_eq!(listed(&cluster.play("listUsers\n").with_code(0).stdout).len(), 2);
    daemon.signal("-TERM");
    daemon.end().with_code(0);
}

#[test]
fn a_fault_needs_an_hsm_that_takes_its_relay() {
    let cluster = Cluster::new(1);
    let settings = cluster.path("hsm0/hsmd.json");
    let mut with_ca: Value = serde_json::from_slice(&fs::read(&settings).unwrap()).unwrap();
    with_ca["client_ca"] = "ca.crt".into();
    fs::write(&settings, with_ca.to_string()).unwrap();
    let mut started = hsmd(&["run", text(&cluster.path("")), "--fault", "server 0 refuses"]);
    let refused = run(&mut started, "").with_code(1);
    assert!(refused.stderr.contains("hsm0: --fault is for HSMs without client_ca"), "{}", refused.stderr);
}
