//! SIGTERM, and SIGINT, while a script runs a command: it says what it has done, and then the program is ended by the signal.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value;

use crate::cluster::{CO_PASSWORD, Cluster, listed};
use crate::process::{PROMPT, Process, console, hsmd, keys, text, wait_until};

/// Stands before a server, and loses what the console says behind an answer, once it is told to.
#[derive(Clone, Default)]
struct Wire {
    loses_next: Arc<AtomicBool>,
    loses: Arc<AtomicBool>,
    cuts: Arc<AtomicBool>,
    has_lost: Arc<AtomicBool>,
}

impl Wire {
    /// Stands before this server of the configuration.
    fn before(cluster: &Cluster, node: u32) -> Self {
        let wire = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, hsm) = (listener.local_addr().unwrap().port(), (cluster.address(node), cluster.port));
        let path = cluster.config();
        let mut config: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        config["servers"][node as usize]["hostname"] = "127.0.0.1".into();
        config["servers"][node as usize]["port"] = port.into();
        std::fs::write(path, config.to_string()).unwrap();
        let this = wire.clone();
        thread::spawn(move || {
            for console in listener.incoming() {
                let Ok(hsm) = TcpStream::connect(hsm.clone()) else { return };
                this.relay(console.unwrap(), hsm);
            }
        });
        wire
    }

    fn relay(&self, console: TcpStream, hsm: TcpStream) {
        let (to, back) = (self.clone(), self.clone());
        let cut = console.try_clone().unwrap();
        let (from_console, to_hsm) = (console.try_clone().unwrap(), hsm.try_clone().unwrap());
        thread::spawn(move || {
            pass(from_console, to_hsm, || {
                let loses = to.loses.load(Ordering::SeqCst);
                if loses && to.cuts.load(Ordering::SeqCst) {
                    cut.shutdown(Shutdown::Both).unwrap();
                }
                to.has_lost.fetch_or(loses, Ordering::SeqCst);
                !loses
            });
        });
        thread::spawn(move || {
            pass(hsm, console, || {
                let loses = back.loses_next.load(Ordering::SeqCst);
                back.loses.fetch_or(loses, Ordering::SeqCst);
                true
            });
        });
    }

    /// The next call is answered; the one behind it is not.
    fn lose_the_call_after_next(&self) {
        self.loses_next.store(true, Ordering::SeqCst);
    }

    fn lose_all(&self) {
        self.loses.store(true, Ordering::SeqCst);
    }

    fn mend(&self) {
        self.loses_next.store(false, Ordering::SeqCst);
        self.loses.store(false, Ordering::SeqCst);
    }

    fn wait_until_lost(&self) {
        wait_until(|| self.has_lost.load(Ordering::SeqCst));
    }
}

/// Passes on what may be passed on.
fn pass(mut from: TcpStream, mut to: TcpStream, may_pass: impl Fn() -> bool) {
    let mut bytes = [0; 65536];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if may_pass() && to.write_all(&bytes[..count]).is_err() {
            return;
        }
    }
}

const LATE: &str =
    "HSM CLUSTER ERROR: No answer from the server; it may or may not have done this (interrupted)";

/// Each call is in the log.
fn daemon_of(cluster: &Cluster) -> Process {
    let daemon = Process::start(hsmd(&["run", text(&cluster.path(""))]).env("RUST_LOG", "debug"));
    daemon.wait_for_log("ready");
    daemon
}

/// Two were asked, then the change was made on one of them, and the console has heard of it.
fn wait_until_changed(daemon: &Process, console: &Process) {
    wait_until(|| daemon.log().matches("call=\"CreateUser\"").count() == 3);
    // The answer is sent right after it is logged, and read at once.
    daemon.wait_until_asleep();
    console.wait_until_asleep();
}

#[test]
fn a_change_under_way_is_accounted_for() {
    let cluster = Cluster::activated(2);
    let daemon = daemon_of(&cluster);
    let wire = Wire::before(&cluster, 1);
    let mut console = cluster.logged_in();
    console.send("createUser CU alice crypto12\n");
    console.wait_for("continue(y/n)?");
    wire.lose_the_call_after_next();
    console.send("y\nlistUsers\n");
    wire.wait_until_lost();
    wait_until_changed(&daemon, &console);
    console.signal("-TERM");
    console.wait_for("Creating User alice(CU) on 2 nodes\n");
    let told = console.wait_for("disconnecting from servers, please wait...\n");
    let [one, other] = [0, 1].map(|node| format!("server {node}({})", cluster.address(node)));
    let expected = format!(
        "createUser success on {one}\ncreateUser failed: {LATE}\ncreating user on {other} failed\n\n\
         createUser was done on {one}\ncreateUser may have been done on {other}\nWhat was done stays done.\n"
    );
    assert!(told.starts_with(&expected), "{told}");
    assert!(
        told.contains("To repair server 1, run: server 1; loginHSM ...; createUser CU alice -hpswd; exit\n"),
        "{told}"
    );
    assert!(!told.contains(PROMPT), "nothing more is run: {told}");
    let ended = console.wait();
    assert_eq!((ended.code, ended.signal), (None, Some(15)));
    wire.mend();
    let users = listed(&cluster.play("listUsers\n").stdout);
    assert_eq!(users.iter().map(Vec::len).collect::<Vec<_>>(), [3, 2]);
}

/// In the rehearsal, too: then there is nothing to repair.
#[test]
fn a_change_that_has_not_begun_is_told_to_be_none() {
    let cluster = Cluster::activated(2);
    let _daemon = cluster.run();
    let wire = Wire::before(&cluster, 1);
    let mut console = cluster.logged_in();
    console.send("createUser CU alice crypto12\n");
    console.wait_for("continue(y/n)?");
    wire.lose_all();
    console.send("y\n");
    wire.wait_until_lost();
    console.signal("-TERM");
    console.wait_for("creating user on server 1(");
    let told = console.wait_for("disconnecting");
    assert!(told.ends_with(" failed\nNothing was changed on any server.\n"), "{told}");
    assert_eq!(console.wait().signal, Some(15));
    wire.mend();
    let users = listed(&cluster.play("listUsers\n").stdout);
    assert_eq!(users.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
}

/// Nobody has made it for certain, which is not the same as nobody.
#[test]
fn a_change_that_is_only_in_doubt_is_not_told_to_be_none() {
    let cluster = Cluster::activated(1);
    let _daemon = cluster.run();
    let wire = Wire::before(&cluster, 0);
    let mut console = cluster.logged_in();
    console.send("createUser CU alice crypto12\n");
    console.wait_for("continue(y/n)?");
    wire.lose_the_call_after_next();
    console.send("y\n");
    wire.wait_until_lost();
    console.signal("-TERM");
    let told = console.wait_for("disconnecting");
    assert!(told.contains("\ncreateUser may have been done on server 0("), "{told}");
    assert!(!told.contains("Nothing was changed"), "{told}");
    assert_eq!(console.wait().signal, Some(15));
    wire.mend();
}

#[test]
fn a_change_under_way_is_accounted_for_in_data() {
    let cluster = Cluster::activated(2);
    let daemon = daemon_of(&cluster);
    let wire = Wire::before(&cluster, 1);
    let config = cluster.config();
    let mut session = Process::start(&mut console(&[text(&config), "--yes", "--output", "json"]));
    session.send(&format!("loginHSM CO admin {CO_PASSWORD}\n"));
    session.wait_for("}\n");
    wire.lose_the_call_after_next();
    session.send("createUser CU alice crypto12\nlistUsers\n");
    wire.wait_until_lost();
    wait_until_changed(&daemon, &session);
    session.signal("-TERM");
    let ended = session.wait();
    assert_eq!((ended.code, ended.signal), (None, Some(15)));
    let objects: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 2, "{}", ended.stdout);
    let [created, servers] = [&objects[1], &objects[1]["servers"]];
    assert_eq!((&created["ok"], &created["outcome"]), (&false.into(), &"partial".into()), "{created}");
    assert_eq!([&servers[0]["outcome"], &servers[1]["outcome"]], ["ok", "no_answer"], "{created}");
    wire.mend();
}

#[test]
fn the_key_tool_accounts_for_its_command_too() {
    let cluster = Cluster::activated(2);
    let _daemon = cluster.run();
    cluster.play(&format!("loginHSM CO admin {CO_PASSWORD}\ncreateUser CU alice crypto12\ny\n")).with_code(0);
    let wire = Wire::before(&cluster, 1);
    let config = cluster.config();
    let mut session = Process::start(&mut keys(&[text(&config)]));
    session.wait_for("Command:  ");
    session.send("loginHSM -u CU -s alice -p crypto12\n");
    session.wait_for("Command:  ");
    wire.lose_the_call_after_next();
    session.send("listUsers\nlistUsers\n");
    wire.wait_until_lost();
    session.signal("-TERM");
    let ended = session.wait();
    assert_eq!((ended.code, ended.signal), (None, Some(15)));
    assert!(ended.stdout.contains("Node id 1"), "{}", ended.stdout);
    wire.mend();
}

/// The change is on one server when the question is asked.
#[test]
fn a_question_that_a_signal_answers_is_accounted_for() {
    let cluster = Cluster::activated(2);
    let _daemon = cluster.run();
    let wire = Wire::before(&cluster, 1);
    wire.cuts.store(true, Ordering::SeqCst);
    let mut console = cluster.logged_in();
    console.send("createUser CU alice crypto12\n");
    console.wait_for("continue(y/n)?");
    wire.lose_the_call_after_next();
    console.send("y\n");
    console.wait_for("Retry/Ignore/Abort?(R/I/A):");
    console.signal("-TERM");
    let told = console.wait_for("disconnecting from servers, please wait...\n");
    assert!(told.contains("\ncreateUser was done on server 0("), "{told}");
    assert!(told.contains("\ncreateUser may have been done on server 1("), "{told}");
    assert_eq!(console.wait().signal, Some(15));
    wire.mend();
}

/// Nothing is under way at a prompt; a command that has asked something comes to its end.
#[test]
fn who_waits_for_a_line_is_ended_at_once() {
    let cluster = Cluster::activated(1);
    let _daemon = cluster.run();
    let (authdata, stopped) = (cluster.path("authdata"), "disconnecting from servers, please wait...\n");
    for (line, question, end) in [
        ("", "", "aws-cloudhsm>"),
        (
            "createUser CU alice crypto12\n",
            "continue(y/n)?",
            &format!("?\nNot confirmed: interrupted\n{stopped}"),
        ),
        (
            "loginHSM CU alice -hpswd\n",
            "Enter password: ",
            &format!(": \nNo password: interrupted\n{stopped}"),
        ),
        (
            &format!("createUser CO bob officer12 -2fa {}\ny\n", text(&authdata)),
            "Enter filename:",
            &format!(
                ":\ncreateUser failed: nothing was signed\nNothing was changed on any server.\n{stopped}"
            ),
        ),
    ] {
        let mut console = cluster.logged_in();
        console.send(line);
        console.wait_for(question);
        console.signal("-TERM");
        let ended = console.wait();
        assert_eq!((ended.code, ended.signal), (None, Some(15)), "{line}");
        assert!(ended.stdout.ends_with(end), "{}", ended.stdout);
    }
}

/// Whatever runs the tests may ignore it, which they would inherit.
#[test]
fn ctrl_c_ends_a_script_that_waits_for_its_next_line() {
    let cluster = Cluster::new(1);
    let _daemon = cluster.run();
    let mut attentive = Command::new("env");
    attentive.args(["--default-signal=INT", env!("CARGO_BIN_EXE_cloudhsm_mgmt_util")]);
    let mut console = Process::start(attentive.arg(cluster.config()));
    console.wait_for(PROMPT);
    console.signal("-INT");
    assert_eq!(console.wait().signal, Some(2));
}

/// As a shell starts a job in the background of a script: Ctrl-C is not meant for it.
#[test]
fn a_signal_that_is_ignored_from_the_start_stays_ignored() {
    let cluster = Cluster::activated(1);
    let _daemon = cluster.run();
    let config = cluster.config();
    let ignoring = ["-c", "trap '' INT; exec \"$@\"", "-", env!("CARGO_BIN_EXE_cloudhsm_mgmt_util")];
    let mut console = Process::start(Command::new("sh").args(ignoring).arg(&config));
    console.wait_for(PROMPT);
    console.signal("-INT");
    assert!(console.command("listUsers").contains("admin"));
    console.end().with_code(0);
}
