//! The limit on open files.

use std::process::Command;

use cloudhsm::protocol::Request;
use cloudhsm::protocol::device::DescribeHsm;

use crate::client::{PATIENT, allows_files, ask, connect, dial, officer, socket_address, tcp};
use crate::cluster::Cluster;
use crate::process::{Process, run, text};

#[tokio::test(flavor = "multi_thread")]
async fn connections_to_one_node_leave_the_others_their_files() {
    if !allows_files(8192) {
        return;
    }
    let cluster = Cluster::activated(3);
    let daemon = Process::start(&mut limited(&cluster, "-Sn 1024"));
    daemon.wait_for_log("ready");
    assert!(daemon.log().contains("raised the limit on open files"), "{}", daemon.log());
    // With logins, none has to make room for another one.
    let mut crowd = Vec::new();
    for _ in 0..449 {
        crowd.push(tcp([127, 0, 0, 2].into(), socket_address(&cluster, 0)).await.unwrap());
    }
    let mut sessions = Vec::new();
    for _ in 0..450 {
        sessions.push(officer(&dial(&cluster, 0), &PATIENT).await.unwrap());
    }
    for node in [1, 2] {
        let link = connect(&dial(&cluster, node), &PATIENT).await.unwrap();
        assert!(ask(link, Request::DescribeHsm(DescribeHsm)).await.is_some());
        assert!(officer(&dial(&cluster, node), &PATIENT).await.is_some());
    }
    assert!(!daemon.log().contains("could not accept"), "{}", daemon.log());
}

#[test]
fn a_hard_limit_that_is_too_low_is_refused_with_numbers() {
    let cluster = Cluster::new(3);
    let refused = run(&mut limited(&cluster, "-n 1024"), "").with_code(1);
    for number in ["2812 open files are needed", "the hard limit is 1024"] {
        assert!(refused.stderr.contains(number), "{}", refused.stderr);
    }
}

/// `hsmd run` of the cluster under a limit that the shell sets.
fn limited(cluster: &Cluster, limit: &str) -> Command {
    let script = format!("ulimit {limit} && exec \"$0\" run \"$1\"");
    let mut command = Command::new("bash");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_hsmd"), text(&cluster.path(""))]);
    command
}
