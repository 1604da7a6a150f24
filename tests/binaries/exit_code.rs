//! The console's exit codes, which scripts depend on.

use std::fs;
use std::process::Command;

use crate::cluster::{CO_PASSWORD, Cluster};
use crate::process::{console, run, text};

const CREATE: &str = "createUser CU alice crypto12";

#[test]
fn the_worst_command_decides() {
    let cluster = Cluster::activated(2);
    let _daemon = cluster.run();
    let login = format!("loginHSM CO admin {CO_PASSWORD}\n");
    for (code, commands) in [
        (0, String::new()),
        (0, "# a remark\n\nlistUsers\nhelp\ngetHSMInfo\nquit\n".to_owned()),
        (0, format!("{login}{CREATE}\nn\nquit\n")),
        (1, "listUsers\nnonsense\nlistUsers\nquit\n".to_owned()),
        (1, "listUsers now\nlistUsers\n".to_owned()),
        (1, "loginHSM CO admin wrong123\nquit\n".to_owned()),
        (1, format!("{CREATE}\ny\nA\nlistUsers\nquit\n")),
        (1, format!("{login}{CREATE}\n")),
        (0, format!("{login}{CREATE}\ny\n")),
        (1, format!("{login}{CREATE}\ny\nI\nI\n")),
        (
            4,
            format!(
                "{login}server 0\ncreateUser CU bob crypto12\ny\nexit\ncreateUser CU bob crypto12\ny\nI\n"
            ),
        ),
        (0, "listUsers".to_owned()),
        (1, "compareHSM\n".to_owned()),
        (0, format!("{login}compareHSM\n")),
        (4, format!("{login}server 0\ncreateUser CU carl crypto12\ny\nexit\ncompareHSM\n")),
        (0, format!("{login}server 0\nsyncHSM all\ny\nexit\ncompareHSM\n")),
        (1, "getKeyInfo 6\nquit\n".to_owned()),
        (0, format!("{login}findAllKeys 0 1 /dev/null\n")),
        (1, format!("{login}findAllKeys 0 1 /\n")),
    ] {
        let played = cluster.play(&commands);
        assert_eq!(played.code, Some(code), "{commands}{}", played.stdout);
        assert_eq!(played.stderr.is_empty(), code == 0, "{}", played.stderr);
        assert!(played.stderr.lines().all(|line| line.starts_with("stdin:")), "{}", played.stderr);
    }
}

/// On standard error, too, a difference is not a failure.
#[test]
fn four_if_servers_differ_which_is_said() {
    let cluster = Cluster::activated(2);
    let _daemon = cluster.run();
    let change = format!("loginHSM CO admin {CO_PASSWORD}\nserver 0\n{CREATE}\ny\nexit\n");
    let played = cluster.play(&format!("{change}compareHSM\n")).with_code(4);
    assert_eq!(played.stderr, "stdin:6: compareHSM found differences\n");
}

#[test]
fn one_if_the_output_cannot_be_written_for_then_nothing_more_is_run() {
    let cluster = Cluster::new(1);
    let _daemon = cluster.run();
    let mut unseen = Command::new("sh");
    unseen.args(["-c", "\"$0\" \"$1\" > /dev/full", env!("CARGO_BIN_EXE_cloudhsm_mgmt_util")]);
    run(unseen.arg(cluster.config()), "listUsers\n").with_code(1);
}

#[test]
fn two_for_wrong_usage_or_configuration() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("console.cfg");
    let config = text(&path);
    for arguments in
        [&[][..], &["--dev", "1", config], &["--dev-dir", config], &["--dev", "0"], &["--nonsense"]]
    {
        let ended = run(&mut console(arguments), "listUsers\n").with_code(2);
        assert_eq!(ended.stdout, "", "{arguments:?}");
        assert_ne!(ended.stderr, "", "{arguments:?}");
    }
    assert!(run(&mut console(&[]), "").stderr.contains("Usage: cloudhsm_mgmt_util"));

    let missing = run(&mut console(&[config]), "").with_code(2).stderr;
    assert!(missing.contains(config) && missing.contains("No such file or directory"), "{missing}");
    for (written, expected) in [
        ("{", "EOF"),
        ("{}", "missing field `servers`"),
        (r#"{"servers": []}"#, "no server is enabled"),
        (r#"{"servers": [{"hostname": "10.0.0.1", "enable": "no"}]}"#, "no server is enabled"),
        (r#"{"servers": [{"hostname": "10.0.0.1"}, {"name": "b"}]}"#, "servers[1]: missing field `hostname`"),
        (r#"{"servers": [{"hostname": "10.0.0.1", "port": "x"}]}"#, "servers[0].port"),
        (
            r#"{"servers": [{"hostname": "a", "e2e_encryption": {"owner_cert_path": 1}}]}"#,
            "servers[0].e2e_encryption.owner_cert_path",
        ),
    ] {
        fs::write(&path, written).unwrap();
        let wrong = run(&mut console(&[config]), "listUsers\n").with_code(2);
        assert!(wrong.stderr.contains(config) && wrong.stderr.contains(expected), "{}", wrong.stderr);
        assert_eq!(wrong.stdout, "");
    }
}

#[test]
fn three_if_a_server_is_down() {
    let cluster = Cluster::new(2);
    let down = cluster.play("listUsers\n").with_code(3);
    assert!(down.stdout.ends_with("Connection to one of servers failed, exiting...\n"), "{}", down.stdout);
    assert!(!down.stdout.contains("aws-cloudhsm>"), "{}", down.stdout);
}

#[test]
fn a_server_that_is_not_enabled_is_not_missed() {
    let cluster = Cluster::new(2);
    let written = fs::read_to_string(cluster.config()).unwrap();
    let (first, second) = written
        .rsplit_once(
            r#""enable": "yes",
            "hostname""#,
        )
        .unwrap();
    fs::write(cluster.config(), format!("{first}\"enable\": \"no\", \"hostname\"{second}")).unwrap();
    let _first = cluster.run_hsm(0);
    let played = cluster.play("listUsers\n").with_code(0);
    assert!(!played.stdout.contains(&cluster.address(1)), "{}", played.stdout);
}
