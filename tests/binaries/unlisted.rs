//! The consoles' warning of HSMs that the file lacks.

use std::fs;
use std::process::Command;

use crate::cluster::{Cluster, alter};
use crate::process::{PROMPT, Process, configure, hsmd, keys, run, text};

#[test]
fn hsms_that_the_file_lacks_are_told_on_standard_error_with_the_way_out() {
    let cluster = Cluster::new(3);
    let _daemon = cluster.run();
    alter(&cluster, |servers| servers.truncate(1));
    let played = cluster.play("quit\n").with_code(0);
    let (address, port, config) = (cluster.address(0), cluster.port, cluster.config());
    let command = format!("configure --cmu {address} --port {port} --cmu-config {}", config.display());
    let missing = format!("{}:{port}, {}:{port}", cluster.address(1), cluster.address(2));
    let warning =
        format!("the cluster has HSMs that {} lacks: {missing}; `{command}` adds them", config.display());
    assert_eq!(played.stderr, format!("cloudhsm_mgmt_util: {warning}\n"));
    assert_eq!(cluster.as_documented(&played.stdout), SESSION);

    let words: Vec<&str> = command.split(' ').skip(1).collect();
    run(&mut configure(&words), "").with_code(0);
    let played = cluster.play("quit\n").with_code(0);
    assert_eq!(played.stderr, "");
    assert_eq!(played.stdout.matches("Connected to server").count(), 3, "{}", played.stdout);
}

const SESSION: &str = "\
Ignoring E2E enable flag in the configuration file

Connecting to the server(s), it may take time
depending on the server(s) load, please wait...

Connecting to server '10.0.0.1': hostname '10.0.0.1', port 2225...
Connected to server '10.0.0.1': hostname '10.0.0.1', port 2225.
E2E enabled on server 0(10.0.0.1)
aws-cloudhsm>quit
disconnecting from servers, please wait...
";

#[test]
fn a_server_that_the_file_leaves_out_on_purpose_is_not_missing() {
    let cluster = Cluster::new(2);
    let _daemon = cluster.run();
    alter(&cluster, |servers| servers[1]["enable"] = "no".into());
    assert_eq!(cluster.play("quit\n").with_code(0).stderr, "");
}

#[test]
fn the_warning_stands_before_the_first_prompt() {
    let cluster = Cluster::new(2);
    let _daemon = cluster.run();
    alter(&cluster, |servers| servers.truncate(1));
    let mut console = Process::start(Command::new("sh").args([
        "-c",
        &format!("{} {} 2>&1", env!("CARGO_BIN_EXE_cloudhsm_mgmt_util"), text(&cluster.config())),
    ]));
    let banner = console.wait_for(PROMPT);
    assert!(banner.ends_with("` adds them\n"), "{banner}");
}

#[test]
fn a_server_that_proves_nothing_is_not_asked() {
    let cluster = Cluster::new(2);
    alter(&cluster, |servers| servers.truncate(1));
    let daemon = Process::start(hsmd(&["run", text(&cluster.path(""))]).env("RUST_LOG", "debug"));
    daemon.wait_for_log("ready");
    assert!(cluster.play("quit\n").with_code(0).stderr.contains("lacks"));
    daemon.wait_for_log("call=\"ListMembers\"");
    assert_eq!(daemon.log().matches("call=\"ListMembers\"").count(), 1, "{}", daemon.log());
    fs::remove_file(cluster.path("customerCA.crt")).unwrap();
    assert_eq!(cluster.play("quit\n").with_code(0).stderr, "");
    assert_eq!(daemon.log().matches("call=\"ListMembers\"").count(), 1, "{}", daemon.log());
}

#[test]
fn the_key_tool_tells_it_too_if_the_file_is_the_consoles() {
    let cluster = Cluster::new(2);
    let _daemon = cluster.run();
    let told = |arguments: &[&str]| {
        let config = cluster.config();
        let words: Vec<_> = [text(&config)].into_iter().chain(arguments.iter().copied()).collect();
        let ended = run(&mut keys(&words), "exit\n").with_code(0);
        assert!(!ended.stdout.contains("lacks"), "{}", ended.stdout);
        ended.stderr
    };
    assert_eq!((told(&[]), told(&["singlecmd", "listUsers"])), (String::new(), String::new()));
    alter(&cluster, |servers| servers.truncate(1));
    let (address, port, config) = (cluster.address(0), cluster.port, cluster.config());
    let warning = format!(
        "key_mgmt_util: the cluster has HSMs that {config} lacks: {}:{port}; \
         `configure --cmu {address} --port {port} --cmu-config {config}` adds them\n",
        cluster.address(1),
        config = config.display()
    );
    assert_eq!((told(&[]), told(&["singlecmd", "listUsers"])), (warning.clone(), warning));
}
