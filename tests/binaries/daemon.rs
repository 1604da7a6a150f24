//! Two daemons that want the same, and a daemon that is asked to stop.

use std::io::Read;
use std::net::TcpStream;

use crate::cluster::{Cluster, listed};
use crate::process::{Process, hsmd, run, text};

#[test]
fn two_daemons_on_one_folder_are_one_too_many() {
    let cluster = Cluster::new(1);
    let _first = cluster.run();
    let folder = cluster.path("hsm0");
    let second = run(&mut hsmd(&["run", text(&folder)]), "").with_code(1);
    assert!(second.stderr.contains("hsm.redb: in use by another hsmd"), "{}", second.stderr);
    assert_eq!(listed(&cluster.play("listUsers\n").with_code(0).stdout).len(), 1);
}

#[test]
fn an_occupied_port_is_named_and_the_rest_of_the_cluster_does_not_run_either() {
    let cluster = Cluster::new(2);
    let last = format!("{}:{}", cluster.address(1), cluster.port);
    let occupant = std::net::TcpListener::bind(&last).unwrap();
    let refused = run(&mut hsmd(&["run", text(&cluster.path(""))]), "").with_code(1);
    let reason = format!("cannot listen on {last}: Address already in use");
    assert!(refused.stderr.contains(&reason), "{}", refused.stderr);
    drop(occupant);
    let _daemon = cluster.run();
}

#[test]
fn listen_moves_one_hsm_and_only_one() {
    let cluster = Cluster::new(2);
    let elsewhere = format!("{}:{}", cluster.address(9), cluster.port);
    let all = run(&mut hsmd(&["run", text(&cluster.path("")), "--listen", &elsewhere]), "").with_code(1);
    assert!(all.stderr.contains("--listen is for one HSM, this is a cluster of 2"), "{}", all.stderr);
    let one = Process::start(&mut hsmd(&["run", text(&cluster.path("hsm1")), "--listen", &elsewhere]));
    one.wait_for_log("ready");
    assert!(one.log().contains(&elsewhere), "{}", one.log());
    assert!(TcpStream::connect(&elsewhere).is_ok());
}

#[test]
fn both_signals_end_it_cleanly_whoever_is_connected() {
    for signal in ["-TERM", "-INT"] {
        let cluster = Cluster::activated(2);
        let daemon = cluster.run();
        let mut console = cluster.logged_in();
        let mut stranger = TcpStream::connect((cluster.address(0), cluster.port)).unwrap();
        daemon.signal(signal);
        let ended = daemon.end().with_code(0);
        assert!(ended.stderr.contains("stopping"), "{}", ended.stderr);
        assert_eq!(stranger.read(&mut [0]).unwrap_or(0), 0);
        let answer = console.command("listUsers");
        assert_eq!(answer.matches("listUsers failed on server").count(), 2, "{answer}");
    }
}

#[test]
fn a_daemon_that_was_stopped_can_be_started_at_once() {
    let cluster = Cluster::new(2);
    for _ in 0..3 {
        let daemon = cluster.run();
        assert_eq!(listed(&cluster.play("listUsers\n").with_code(0).stdout).len(), 2);
        daemon.signal("-TERM");
        daemon.end().with_code(0);
    }
}
