//! `key_mgmt_util` at a terminal: its lines, its hints and its words for what it waits for.

use crate::cluster::Cluster;
use crate::session::Session;

const PROMPT: &str = "Command:  ";
const LOGIN: &str = "loginHSM -u CU -s alice -p sesame01";

fn program(cluster: &Cluster) -> Vec<String> {
    let mut arguments = cluster.console();
    arguments[0] = env!("CARGO_BIN_EXE_key_mgmt_util").to_owned();
    arguments
}

fn at_prompt(cluster: &Cluster) -> Session {
    let arguments = program(cluster);
    let mut session = Session::start(&arguments, "xterm");
    session.wait_for(PROMPT);
    session
}

#[test]
fn a_person_gets_hints_and_lines_without_passwords() {
    let cluster = Cluster::run(1);
    let mut session = at_prompt(&cluster);
    for line in
        [LOGIN, "loginhsm -u CU -s alice -p sesame01", "loginHSM -u CU -s alice -psesame01", "listUsers"]
    {
        session.send(&format!("{line}\r"));
        session.wait_for(PROMPT);
    }
    assert_eq!(session.kept("key_mgmt_util"), "");
    session.send("deleteKex\x7fy ");
    session.wait_for_row("Command:  deleteKey -k <key handle>");
    session.send("\x15\x1b[A\x1b[A\x1b[A\x1b[A");
    session.wait_for_row("Command:  loginHSM -u CU -s alice -hpswd");
    session.send("\x03");
    assert_eq!(session.kept("key_mgmt_util"), "#V2\nlistUsers\n");
    assert_eq!(session.kept("cloudhsm_mgmt_util"), "");
    assert!(!session.everything().contains("sesame"), "{:?}", session.everything());
}

#[test]
fn no_history_works_on_either_side_of_the_configuration() {
    let cluster = Cluster::run(1);
    for at in 1..=2 {
        let mut arguments = program(&cluster);
        arguments.insert(at, "--no-history".to_owned());
        let mut session = Session::start(&arguments, "xterm");
        session.wait_for(PROMPT);
        session.send("x\x7flistUsers\r");
        session.wait_for(PROMPT);
        session.send("exit\r");
        session.wait_for_end();
        assert_eq!(session.kept("key_mgmt_util"), "", "{arguments:?}");
    }
}

#[test]
fn an_empty_password_is_asked_for_again_and_not_sent() {
    let cluster = Cluster::run(1);
    let mut session = at_prompt(&cluster);
    session.send("loginHSM -u CU -s app_user -hpswd\r\r\r");
    (0..3).for_each(|_| drop(session.wait_for("Enter password: ")));
    session.send("\x03");
    session.wait_for(PROMPT);
    assert!(!session.everything().contains("Cfm3LoginHSM"), "{:?}", session.everything());
}

#[test]
fn it_says_for_which_nodes_it_waits() {
    let cluster = Cluster::run(2);
    let mut session = at_prompt(&cluster);
    session.send("x\x7f\x03");
    session.wait_for("\r\n");
    cluster.signal(1, "-STOP");
    session.send("listUsers\r");
    let [_, one] = cluster.names();
    session.wait_for(&format!(" s for node id 1({one})"));
    cluster.signal(1, "-CONT");
    session.wait_until(|written| written.contains("Number Of Users found 2"));
}
