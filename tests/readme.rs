//! The README is true: its session is the program's output, and its exit codes are the program's.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

#[test]
fn the_session_is_what_the_console_prints() {
    let commands = File::open("examples/first_session.txt").unwrap();
    let console = Command::new(env!("CARGO_BIN_EXE_cloudhsm_mgmt_util"))
        .args(["--dev", "3"])
        .stdin(commands)
        .output()
        .unwrap();
    assert_eq!(console.status.code(), Some(0));
    let session = format!("```text\n{}```", String::from_utf8(console.stdout).unwrap());
    assert!(fs::read_to_string("README.md").unwrap().contains(&session), "{session}");
}

/// The approval that the README tells, command by command.
#[test]
fn the_approval_runs_as_it_stands_and_ends_with_a_user() {
    let folder = tempfile::tempdir().unwrap();
    let script =
        section("## Quorum and second factor").replace("/tmp/", &format!("{}/", folder.path().display()));
    let stdout = run(&script);
    assert_eq!(stdout.matches("approveToken success on server").count(), 2, "{stdout}");
    let (_, created) = stdout.split_once("Creating User alice(CU) on 2 nodes\n").unwrap();
    assert_eq!(created.matches("createUser success on server").count(), 2, "{stdout}");
    assert_eq!(created.matches("Num of tokens = 0\n").count(), 2, "{stdout}");
}

/// The first commands of a section.
fn section(title: &str) -> String {
    let readme = fs::read_to_string("README.md").unwrap();
    let (_, rest) = readme.split_once(title).unwrap();
    rest.split("```sh\n").nth(1).unwrap().split("```").next().unwrap().to_owned()
}

/// Runs commands with the programs in the path, and returns their output. Where a person waits a second for a daemon, it
/// waits until the daemon's log says that it is ready.
fn run(script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut parts = script.split("&\nsleep 1\n");
    let mut script = parts.next().unwrap().to_owned();
    for (number, part) in parts.enumerate() {
        let log = folder.path().join(number.to_string()).display().to_string();
        let wait = format!("for _ in {{1..600}}; do grep -qw ready {log} && break; sleep 0.1; done");
        script.push_str(&format!("2> {log} &\n{wait}\n{part}"));
    }
    let programs = Path::new(env!("CARGO_BIN_EXE_hsmd")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    // A daemon left behind would hold the output open, and this test up. `kill %1` wants job control.
    let script = format!("trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{script}");
    let ran = Command::new("bash").args(["-emc", &script]).env("PATH", path).output().unwrap();
    let (stdout, stderr) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap());
    assert!(ran.status.success(), "{stdout}{stderr}");
    stdout
}

/// The recovery that the README tells, command by command, on addresses of this test's own.
#[test]
fn the_recovery_runs_as_it_stands_and_ends_with_equal_hashes() {
    let folder = tempfile::tempdir().unwrap();
    let own = std::process::id() % 200 + 20;
    let script = section("## Rehearse a cross-region recovery")
        .replace("/tmp/", &format!("{}/", folder.path().display()))
        .replace("--dir", &format!("--net 127.{own}.1.0 --dir"))
        .replacen(&format!("--net 127.0.2.0 --net 127.{own}.1.0"), &format!("--net 127.{own}.2.0"), 1);
    let stdout = run(&script);
    let hashes: Vec<&str> = stdout.split("Key Hash:\n").skip(1).map(|rest| &rest[..64]).collect();
    assert_eq!(hashes.len(), 4, "{stdout}");
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
    assert_eq!(stdout.matches("\n6(o),7(o)\n").count(), 4, "{stdout}");
}

/// What the README tells of monitoring, command by command, on addresses of this test's own.
#[test]
fn watching_runs_as_it_stands_and_shows_two_healthy_hsms() {
    let folder = tempfile::tempdir().unwrap();
    let own = std::process::id() % 200 + 20;
    let script = section("## Watch it run")
        .replace("/tmp/", &format!("{}/", folder.path().display()))
        .replace("--net 127.0.4.0", &format!("--net 127.{own}.4.0"))
        .replace("127.0.0.1:9225", &format!("127.{own}.4.100:9225"))
        .replace("--metrics --", &format!("--metrics 127.{own}.4.100:9225 --"));
    let stdout = run(&script);
    let (_, seen) = stdout.split_once("\nok\n# HELP hsmd_").unwrap();
    assert_eq!(seen.lines().filter(|line| line.starts_with("hsmd_up{") && line.ends_with(" 1")).count(), 2);
}

/// The configuration that the README writes, command by command, on addresses of this test's own.
#[test]
fn the_configuration_is_written_as_it_stands_and_names_all_hsms() {
    let folder = tempfile::tempdir().unwrap();
    let net = format!("127.{}.3.", std::process::id() % 200 + 20);
    let script = section("## configure")
        .replace("/tmp/", &format!("{}/", folder.path().display()))
        .replace("127.0.3.", &net);
    let stdout = run(&script);
    assert_eq!(stdout.matches("Updating server config in cloudhsm_mgmt_util.cfg\n").count(), 3, "{stdout}");
    for node in 1..=3 {
        assert!(stdout.contains(&format!("Connected to server '{net}{node}'")), "{stdout}");
    }
}

#[test]
fn the_exit_codes_are_those_of_the_help() {
    let help = Command::new(env!("CARGO_BIN_EXE_cloudhsm_mgmt_util")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let readme = fs::read_to_string("README.md").unwrap();
    let codes: Vec<_> = help.lines().filter_map(|line| line.trim().split_once("  ")).collect();
    let codes: Vec<_> = codes.into_iter().filter(|(code, _)| code.parse::<u8>().is_ok()).collect();
    assert_eq!(codes.len(), 6, "{help}");
    for (code, meaning) in codes {
        assert!(readme.contains(&format!("| {code} | {meaning}")), "{code} {meaning}");
    }
}
