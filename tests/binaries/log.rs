//! The log of `hsmd` as programs read it.

use std::fs;
use std::io::Write;
use std::net::TcpStream;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::process::{Process, hsmd, run, text};

#[test]
fn every_line_is_an_object_from_the_start_to_the_end() {
    let cluster = Cluster::new(1);
    let dir = cluster.path("");
    let daemon = Process::start(hsmd(&["run", text(&dir), "--log-format", "json"]).env("RUST_LOG", "debug"));
    daemon.wait_for_log("ready");
    TcpStream::connect((cluster.address(0), cluster.port)).unwrap().write_all(b"no TLS\n\n\"").unwrap();
    daemon.wait_for_log("TLS handshake failed");
    cluster.play("listUsers\n").with_code(0);
    daemon.signal("-TERM");
    let lines = objects(&daemon.end().with_code(0).stderr);
    let message = |message: &str| lines.iter().find(|line| line["message"] == message);
    for text in ["listening", "ready", "TLS handshake failed", "stopping"] {
        assert!(message(text).is_some(), "no {text:?} in {lines:?}");
    }
    assert!(message("listening").unwrap()["hsm_id"].as_str().unwrap().starts_with("hsm-"));
    assert!(lines.iter().any(|line| line["call"] == "ListUsers" && line["level"] == "DEBUG"), "{lines:?}");
}

#[test]
fn why_a_command_failed_is_an_object_too() {
    let home = tempfile::tempdir().unwrap();
    let absent = home.path().join("absent");
    let absent = text(&absent);
    fs::write(home.path().join("taken"), "mine").unwrap();
    let taken = home.path().join("taken");
    for arguments in [
        &["run", absent][..],
        &["audit", absent],
        &["backup", absent, "--out", absent],
        &["check-backup", absent],
        &["init", text(&taken)],
        &["cluster", "init", "--dir", text(&taken)],
    ] {
        let failed = run(&mut hsmd(&[arguments, &["--log-format", "json"]].concat()), "").with_code(1);
        let [line] = objects(&failed.stderr).try_into().expect(&failed.stderr);
        let (level, message): (Value, _) = (line["level"].clone(), line["message"].as_str().unwrap());
        assert!(level == "ERROR" && message.contains(text(home.path())), "{line}");
    }
}

#[test]
fn a_panic_within_is_an_object_too() {
    let cluster = Cluster::new(1);
    let daemon = cluster.run();
    daemon.signal("-TERM");
    daemon.end().with_code(0);
    let store = cluster.path("hsm0/hsm.redb");
    let mut bytes = fs::read(&store).unwrap();
    bytes[4096..].fill(0xa5);
    fs::write(&store, bytes).unwrap();
    let folder = cluster.path("hsm0");
    let plain = run(&mut hsmd(&["run", text(&folder)]), "").with_code(1).stderr;
    assert!(plain.contains("panicked"), "nothing to see here any more: {plain}");
    let failed = run(&mut hsmd(&["run", text(&folder), "--log-format", "json"]), "").with_code(1);
    let lines = objects(&failed.stderr);
    assert!(lines.iter().any(|line| line["message"].as_str().unwrap().contains("panicked")), "{lines:?}");
}

#[test]
fn people_get_text_unless_they_ask_for_more() {
    let cluster = Cluster::new(1);
    for arguments in [&[][..], &["--log-format", "text"]] {
        let dir = cluster.path("");
        let daemon = Process::start(&mut hsmd(&[&["run", text(&dir)], arguments].concat()));
        daemon.wait_for_log("ready");
        daemon.signal("-TERM");
        let log = daemon.end().with_code(0).stderr;
        assert!(log.lines().all(|line| line.contains(" INFO ")), "{log}");
    }
    let wrong = run(&mut hsmd(&["run", "x", "--log-format", "xml"]), "").with_code(2);
    assert!(wrong.stderr.contains("[possible values: text, json]"), "{}", wrong.stderr);
}

/// Each line as what it must be.
fn objects(log: &str) -> Vec<Value> {
    let objects: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    for object in &objects {
        for key in ["timestamp", "level", "target"] {
            assert!(object[key].is_string(), "no {key}: {object}");
        }
    }
    objects
}
