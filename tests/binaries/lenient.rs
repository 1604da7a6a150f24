//! Configuration files that are not quite what they should be: read all the same, with a warning.

use std::fs;
use std::process::Command;

use crate::cluster::{Cluster, listed};
use crate::process::{console, keys, run, text};

/// A configuration of these HSMs, by node, as somebody might write it.
fn write_by_hand(cluster: &Cluster, nodes: &[u32]) {
    let (port, ca) = (cluster.port, cluster.path("customerCA.crt"));
    let entry = |node: &u32| {
        format!(
            "  {{\"port\": \"{port}\", \"enable\": true, \"owner_cert_path\": {ca:?}, \"hostname\": \"{}\",}}, // {node}\n",
            cluster.address(*node)
        )
    };
    let entries: String = nodes.iter().map(entry).collect();
    fs::write(cluster.config(), format!("# ours\n{{ \"servers\": [\n{entries}],}}\n")).unwrap();
}

fn warning(cluster: &Cluster, program: &str, what: &str) -> String {
    format!("{program}: {}: {what}\n", cluster.config().display())
}

#[test]
fn what_is_not_json_is_reported_on_standard_error_and_the_session_is_the_same() {
    let cluster = Cluster::new(2);
    let _daemon = cluster.run();
    write_by_hand(&cluster, &[0, 1]);
    for (name, program) in
        [("cloudhsm_mgmt_util", console as fn(&[&str]) -> Command), ("key_mgmt_util", keys)]
    {
        let played = run(&mut program(&[text(&cluster.config())]), "listUsers\n").with_code(0);
        assert!(played.stdout.contains("app_user"), "{}", played.stdout);
        let warning = |what: &str| warning(&cluster, name, what);
        assert!(!played.stdout.contains("JSON"), "{}", played.stdout);
        let entry = played.stderr.lines().nth(3).unwrap();
        let expected = warning("line 1, column 1: a comment is not JSON; it is ignored (3 in all)")
            + &warning(&format!(
                "line 3, column 12: \"{}\" should be a number, without quotes (2 in all)",
                cluster.port
            ))
            + &warning("line 3, column 31: true should be \"yes\" (2 in all)")
            + &format!("{entry}\n");
        assert!(
            entry.ends_with(": a comma before a closing bracket is not JSON; it is ignored (4 in all)"),
            "{entry}"
        );
        assert_eq!(played.stderr, expected);
    }
}

#[test]
fn an_hsm_that_is_listed_twice_is_reported_and_used_once() {
    let cluster = Cluster::new(2);
    let _daemon = cluster.run();
    write_by_hand(&cluster, &[0, 1, 0]);
    let played = cluster.play("listUsers\n").with_code(0);
    assert_eq!(listed(&played.stdout).len(), 2, "{}", played.stdout);
    let (address, port) = (cluster.address(0), cluster.port);
    let twice = format!("line 5, column 3: {address}:{port} is listed twice; this entry is ignored");
    let twice = warning(&cluster, "cloudhsm_mgmt_util", &twice);
    assert!(played.stderr.contains(&twice), "{}", played.stderr);
    let played = run(&mut keys(&[text(&cluster.config()), "singlecmd", "listUsers"]), "").with_code(0);
    assert!(played.stderr.contains(": line 5, column 3: "), "{}", played.stderr);
    assert!(!played.stdout.contains("exiting"), "{}", played.stdout);
}

#[test]
fn what_cannot_be_meant_is_an_error() {
    let cluster = Cluster::new(1);
    for (text, error) in [
        (
            "{\"servers\": [{\"hostname\": \"a\", \"port\": \"two\"}]}",
            "servers[0].port: invalid type: string \"two\"",
        ),
        ("{\"servers\": [{\"hostname\": \"a\"}] /* }", "expected `,` or `}` at line 1 column 33"),
    ] {
        fs::write(cluster.config(), text).unwrap();
        let ended = cluster.play("").with_code(2);
        assert!(ended.stderr.contains(error), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
}
