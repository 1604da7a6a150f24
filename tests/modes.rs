//! One story in every way there is to run it: at a terminal, typed or in a burst, from a pipe, a file or options, and
//! as JSON.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

#[path = "modes/canary.rs"]
mod canary;
#[path = "binaries/cluster.rs"]
#[expect(dead_code, reason = "the stories of the single modes need more")]
mod cluster;
#[path = "modes/mode.rs"]
mod mode;
#[path = "binaries/process.rs"]
#[expect(dead_code, reason = "the stories of the single modes need more")]
mod process;
#[path = "terminal/session.rs"]
#[expect(dead_code, reason = "the stories of the single modes need more")]
mod session;

use std::fs;

use cluster::{CO_PASSWORD, Cluster};
use mode::Mode;
use serde_json::Value;

/// The commands that are run in every mode, and how each session ends.
fn table() -> Vec<(Vec<String>, i32)> {
    let login = &format!("loginHSM CO admin {CO_PASSWORD}");
    let rows: [(&[&str], i32); 9] = [
        (&["listUsers", "info", "quit"], 0),
        (&["", "listU", "server 1", "getHSMInfo", "exit", "quit"], 0),
        (&[login, "getMValue 3", "listTokens", "logoutHSM", "quit"], 0),
        (&[login, "createUser CU alice crypto12", "y", "deleteUser CU alice", "quit"], 0),
        (&["loginHSM CO admin -hpswd", CO_PASSWORD, "createUser CU alice crypto12", "n", "quit"], 0),
        (&["getMValue 3", "listUsers", "quit"], 1),
        (&["nonsense", "listUsers now", "loginHSM CO admin", "quit"], 1),
        (&[login, "createUser CU a-b crypto12", "y", "X", "A", "listUsers", "quit"], 1),
        (
            &[login, "server 0", "createUser CO bob crypto12", "y", "exit", "deleteUser CO bob", "I", "quit"],
            4,
        ),
    ];
    rows.map(|(lines, code)| (lines.iter().map(|line| (*line).to_owned()).collect(), code)).into()
}

#[test]
fn every_mode_agrees_on_text_outcome_and_exit_code() {
    let cluster = Cluster::activated(2);
    let _daemon = cluster.run();
    for (lines, code) in table() {
        let piped = Mode::Pipe.run(&cluster, &lines);
        assert_eq!(piped.code, code, "{lines:?}: {}", piped.text);
        for mode in [Mode::Options, Mode::File] {
            let same = mode.run(&cluster, &lines);
            assert_eq!((same.text, same.code), (piped.text.clone(), code), "{mode:?}");
        }
        for mode in [Mode::Typed, Mode::Burst] {
            let same = mode.run(&cluster, &lines);
            // Who sat there has seen what failed.
            assert_eq!((same.text, same.code), (piped.text.clone(), 0), "{mode:?}");
        }
        let json = Mode::Json.run(&cluster, &lines);
        assert_eq!(json.code, code, "{}", json.text);
        assert_eq!(outcome(&json.text), code, "{}", json.text);
    }
}

/// The exit code that the single outcomes stand for.
fn outcome(json: &str) -> i32 {
    let objects = json.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let outcomes = objects.map(|object| match object["outcome"].as_str().unwrap() {
        "ok" => 0,
        "failed" => 1,
        "unreached" => 3,
        "partial" | "different" => 4,
        other => panic!("{other}"),
    });
    outcomes.max().unwrap()
}

/// Nothing is asked then, of nobody.
#[test]
fn every_mode_says_that_no_server_is_there() {
    let cluster = Cluster::new(2);
    let lines = ["listUsers".to_owned()];
    for mode in [Mode::Pipe, Mode::Options, Mode::File, Mode::Burst] {
        let played = mode.run(&cluster, &lines);
        assert_eq!(played.code, 3, "{mode:?}");
        // A line that comes when the program is gone is echoed by the terminal.
        let (text, echo) =
            played.text.split_once("\nConnection to one of servers failed, exiting...\n").unwrap();
        assert!("listUsers\n".starts_with(echo), "{mode:?}: {echo}");
        assert!(!text.contains("aws-cloudhsm>"), "{mode:?}: {text}");
    }
    let json = Mode::Json.run(&cluster, &lines);
    assert_eq!((outcome(&json.text), json.code), (3, 3), "{}", json.text);
}

/// What is sent before the first prompt is not lost, whatever ends its lines.
#[test]
fn a_burst_may_end_its_lines_in_any_way() {
    let cluster = Cluster::activated(1);
    let _daemon = cluster.run();
    let lines = ["listUsers", "nonsense", "quit"].map(str::to_owned);
    let file = cluster.path("commands.txt");
    let expected = Mode::Pipe.run(&cluster, &lines);
    for end in ["\r", "\n", "\r\n"] {
        let burst = mode::burst(&cluster, &lines, end);
        assert_eq!(burst.text, expected.text, "{end:?}");
        fs::write(&file, lines.join(end)).unwrap();
        let from_file = mode::play_file(&cluster, &file);
        assert_eq!((from_file.text, from_file.code), (expected.text.clone(), expected.code), "{end:?}");
    }
}
