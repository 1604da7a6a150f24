//! The README is true: its session is the program's output, and its exit codes are the program's.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File};
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

#[test]
fn the_exit_codes_are_those_of_the_help() {
    let help = Command::new(env!("CARGO_BIN_EXE_cloudhsm_mgmt_util")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let readme = fs::read_to_string("README.md").unwrap();
    let codes: Vec<_> = help.lines().filter_map(|line| line.trim().split_once("  ")).collect();
    let codes: Vec<_> = codes.into_iter().filter(|(code, _)| code.parse::<u8>().is_ok()).collect();
    assert_eq!(codes.len(), 4, "{help}");
    for (code, meaning) in codes {
        assert!(readme.contains(&format!("| {code} | {meaning}")), "{code} {meaning}");
    }
}
