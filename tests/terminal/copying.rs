//! Ctrl-C while many keys are copied.

use std::fs;
use std::path::Path;

use crate::cluster::Cluster;
use crate::filling::make_keys;
use crate::session::{PROMPT, Session, within_deadline};

const KEYS: usize = 2000;

/// A person with a CO logged in on both servers, of which server 0 has keys of alice.
fn officer(cluster: &Cluster) -> Session {
    let mut session = Session::start(&cluster.console(), "xterm");
    session.wait_for(PROMPT);
    // Who has pressed an editing key is a person.
    session.send("x\x7f\r");
    for (line, question) in [
        ("loginHSM PRECO admin password", ""),
        ("changePswd PRECO admin officer123", "continue(y/n)?"),
        ("createUser CU alice crypto12", "continue(y/n)?"),
    ] {
        session.skip();
        session.send(&format!("{line}\r"));
        if !question.is_empty() {
            session.wait_for(question);
            session.send("y\r");
        }
        session.wait_for("success on server 1(");
    }
    session
}

fn calls(log: &Path, name: &str) -> usize {
    fs::read_to_string(log).unwrap().matches(&format!("call=\"{name}\"")).count()
}

#[test]
fn ctrl_c_ends_a_copy_after_what_is_under_way_and_a_second_one_copies_the_rest() {
    let cluster = Cluster::run(2);
    let mut session = officer(&cluster);
    make_keys(Path::new(&cluster.console()[1]), 0, ("alice", "crypto12"), KEYS);
    let [_, name] = cluster.names();
    session.send("server 0\rsyncHSM 1\r");
    session.wait_for("continue(y/n)?");
    cluster.signal(1, "-STOP");
    session.send("y\r");
    session.wait_for(&format!("0 of {KEYS} copies"));
    // It waits for the batch at the destination, and has the next one from the source.
    let has_next = || (calls(&cluster.log_file(0), "ExtractKeys") >= 2).then_some(());
    assert!(within_deadline(has_next).is_some());
    session.send("\x03");
    cluster.signal(1, "-CONT");
    let told = session.wait_for("Run syncHSM again to copy the rest.\r\n");
    assert!(!told.contains("Compared: "), "{told}");
    let counted = |what: &str| -> usize {
        let (_, rest) = told.split_once(&format!("server 1({name}): ")).expect(&told);
        let (before, _) = rest.split_once(what).expect(&told);
        before.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let (copied, open) = (counted(" keys copied"), counted(" not copied or in doubt"));
    assert!(0 < copied && copied < KEYS && copied + open == KEYS, "{told}");
    session.wait_for(&format!("Not compared afterwards: server 1({name})\r\n"));
    session.send("syncHSM 1\r");
    session.wait_for(&format!("server 1({name}): 0 users and {open} keys to copy"));
    session.wait_for("continue(y/n)?");
    session.send("y\r");
    session.wait_for(&format!("server 1({name}): 0 users and {open} keys copied"));
    session.wait_for("syncHSM success");
    session.send("exit\rcompareHSM\r");
    session.wait_for(&format!("and {KEYS} keys are the same on servers 0,1"));
}
