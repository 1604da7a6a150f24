//! Three daemons, and what `kill -9` leaves of a change under way or just acknowledged.

use std::thread;
use std::time::Duration;

use crate::cluster::{CO_PASSWORD, Cluster, listed};
use crate::process::{PROMPT, Process, hsmd, run, text};

const YES_NO: &str = "Do you want to continue(y/n)?";
const RETRY_IGNORE_ABORT: &str = "Retry/Ignore/Abort?(R/I/A):";
const PASSWORD: &str = "crypto12";
const ALICE: &str = "createUser CU alice crypto12\n";
const NEW_USERS: [&str; 2] = ["1 CO admin", "2 AU app_user"];

#[test]
fn a_daemon_killed_at_the_caution_costs_its_row_and_abort_changes_nothing_anywhere() {
    let (cluster, mut daemons, mut console) = three();
    console.send(ALICE);
    console.wait_for(YES_NO);
    daemons.remove(1).kill();
    console.send("y\n");
    let failure = console.wait_for(RETRY_IGNORE_ABORT);
    assert_eq!(failure.matches("createUser failed").count(), 1, "{failure}");
    assert!(
        failure.contains(&format!("creating user on server 1({}) failed", cluster.address(1))),
        "{failure}"
    );
    console.send("A\n");
    console.wait_for(PROMPT);
    assert_eq!(listed(&console.command("listUsers")), [NEW_USERS; 2]);
    assert_eq!(console.end().code, Some(4));
}

#[test]
fn a_daemon_killed_at_the_caution_is_repaired_as_the_summary_says() {
    let (cluster, mut daemons, mut console) = three();
    console.send(ALICE);
    console.wait_for(YES_NO);
    daemons.remove(1).kill();
    console.send("y\n");
    console.wait_for(RETRY_IGNORE_ABORT);
    console.send("I\n");
    let summary = cluster.as_documented(&console.wait_for(PROMPT));
    assert!(
        summary.contains(
            "createUser was done on server 0(10.0.0.1), server 2(10.0.0.3)\n\
             createUser was NOT done on server 1(10.0.0.2)\n"
        ),
        "{summary}"
    );
    daemons.push(cluster.run_hsm(1));
    repair(&mut console, &summary);
    assert_equal_with_alice(&mut console);
}

#[test]
fn retry_goes_on_with_a_daemon_that_was_killed_and_restarted() {
    let (cluster, mut daemons, mut console) = three();
    console.send(ALICE);
    console.wait_for(YES_NO);
    daemons.remove(0).kill();
    console.send("y\n");
    console.wait_for(RETRY_IGNORE_ABORT);
    daemons.push(cluster.run_hsm(0));
    console.send("r\n");
    let retried = console.wait_for(RETRY_IGNORE_ABORT);
    assert!(retried.contains("use loginHSM again"), "{retried}");
    console.send("a\n");
    console.wait_for(PROMPT);
    assert_eq!(listed(&console.command("listUsers")), [NEW_USERS; 3]);
    let login = console.command(&format!("loginHSM CO admin {CO_PASSWORD}"));
    assert_eq!(login.matches("success").count(), 3, "{login}");
    console.send(&format!("{ALICE}y\n"));
    console.wait_for(PROMPT);
    assert_equal_with_alice(&mut console);
}

#[test]
fn a_daemon_killed_at_the_question_of_a_failure_is_told_apart_and_repaired() {
    let (cluster, mut daemons, mut console) = three();
    // Server 1 has the user already: its refusal brings up the question.
    console.send(&format!("server 1\n{ALICE}y\nexit\n"));
    console.wait_for("exit\n");
    console.wait_for(PROMPT);
    console.send(&format!("{ALICE}y\n"));
    let refusal = console.wait_for(RETRY_IGNORE_ABORT);
    assert!(
        refusal.contains(&format!("creating user on server 1({}) failed", cluster.address(1))),
        "{refusal}"
    );
    daemons.remove(2).kill();
    console.send("I\n");
    let failure = console.wait_for(RETRY_IGNORE_ABORT);
    assert!(
        failure.contains(&format!("creating user on server 2({}) failed", cluster.address(2))),
        "{failure}"
    );
    console.send("I\n");
    let summary = cluster.as_documented(&console.wait_for(PROMPT));
    assert!(summary.contains("createUser was done on server 0(10.0.0.1)\n"), "{summary}");
    assert!(summary.contains("createUser may have been done on server 2(10.0.0.3)\n"), "{summary}");
    assert!(!summary.contains("To repair server 1"), "{summary}");
    daemons.push(cluster.run_hsm(2));
    repair(&mut console, &summary);
    assert_equal_with_alice(&mut console);
}

#[test]
fn whenever_a_daemon_dies_the_others_are_equal_and_what_differs_there_is_told() {
    let (cluster, mut daemons, mut console) = three();
    for delay in [0, 5, 10, 20, 30, 45, 60, 90] {
        let name = format!("user{delay}");
        console.send(&format!("createUser CU {name} crypto12\n"));
        console.wait_for(YES_NO);
        // Without a question `I` is an unknown command; server mode marks the end either way.
        console.send("y\nI\nserver 0\nexit\n");
        thread::sleep(Duration::from_millis(delay));
        daemons.remove(1).kill();
        let told = console.wait_for("server0>exit\n");
        console.wait_for(PROMPT);
        daemons.insert(1, cluster.run_hsm(1));
        let users = listed(&console.command("listUsers"));
        let there: Vec<_> =
            users.iter().map(|users| users.iter().any(|user| user.ends_with(&name))).collect();
        assert_eq!(there[0], there[2], "{told}");
        assert!(there[1] == there[0] || told.contains("To repair server 1, run: "), "{told}");
        console.command(&format!("loginHSM CO admin {CO_PASSWORD}"));
    }
}

#[test]
fn what_was_acknowledged_survives_the_death_of_all_three() {
    let (cluster, daemons, mut console) = three();
    console.send(&format!("{ALICE}y\n"));
    for node in 0..3 {
        console.wait_for(&format!("createUser success on server {node}({})\n", cluster.address(node)));
    }
    for daemon in daemons {
        daemon.kill();
    }
    drop(console);
    for node in 0..3 {
        let folder = cluster.path(&format!("hsm{node}"));
        let audit = run(&mut hsmd(&["audit", text(&folder)]), "").with_code(0);
        let (_, created) = audit.stdout.split_once("CN_CREATE_USER").expect(&audit.stdout);
        assert!(created.contains("Response : 0:HSM Return: SUCCESS"), "{created}");
        assert!(created.contains("User Name : alice"), "{created}");
    }
    let _daemons: Vec<_> = (0..3).map(|node| cluster.run_hsm(node)).collect();
    let played = cluster.play(&format!("listUsers\nloginHSM CU alice {PASSWORD}\n")).with_code(0);
    assert_eq!(listed(&played.stdout), [["1 CO admin", "2 AU app_user", "3 CU alice"]; 3]);
}

/// An activated cluster served by a daemon for each HSM, and a console with `admin` logged in.
fn three() -> (Cluster, Vec<Process>, Process) {
    let cluster = Cluster::activated(3);
    let daemons = (0..3).map(|node| cluster.run_hsm(node)).collect();
    let console = cluster.logged_in();
    (cluster, daemons, console)
}

/// Does what the summary's one line of advice says, word by word.
fn repair(console: &mut Process, summary: &str) {
    let advice: Vec<_> = summary.lines().filter(|line| line.starts_with("To repair server ")).collect();
    let [advice] = advice.as_slice() else { panic!("{summary}") };
    let (_, commands) = advice.split_once(", run: ").unwrap();
    for command in commands.split("; ") {
        match command {
            "loginHSM ..." => console.send(&format!("loginHSM CO admin {CO_PASSWORD}\n")),
            other => console.send(&format!("{other}\n")),
        }
        if command.ends_with("-hpswd") {
            console.send(&format!("{PASSWORD}\n{PASSWORD}\ny\n"));
        }
    }
    let repaired = console.wait_for("exit\n");
    assert!(repaired.contains("createUser success"), "{repaired}");
    console.wait_for(PROMPT);
}

fn assert_equal_with_alice(console: &mut Process) {
    assert_eq!(listed(&console.command("listUsers")), [["1 CO admin", "2 AU app_user", "3 CU alice"]; 3]);
}
