//! The console at a terminal: exact bytes for programs, an editor for people, and a terminal left as it was.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "terminal/cluster.rs"]
mod cluster;
#[path = "terminal/completion.rs"]
mod completion;
#[path = "terminal/copying.rs"]
mod copying;
#[path = "common/filling.rs"]
mod filling;
#[path = "terminal/history.rs"]
mod history;
#[path = "terminal/keys.rs"]
mod keys;
#[path = "terminal/person.rs"]
mod person;
#[path = "terminal/second_factor.rs"]
mod second_factor;
#[path = "terminal/secrets.rs"]
mod secrets;
#[path = "terminal/session.rs"]
mod session;

use std::fs;
use std::process::Command;
use std::time::Duration;

use cluster::Cluster;
use session::{PROMPT, Session, console, must_be_installed, without_status};

const UP: &str = "\x1b[A";
const LEFT: &str = "\x1b[D";
const LOGIN: &str = "loginHSM PRECO admin -hpswd";
const LOGGED_IN: &str = "loginHSM success on server 0(127.0.1.1)";

/// What stands between two prompts must begin with the command, once, and hold nothing that a program that splits
/// it into words would stumble over.
fn assert_answered(between: &str, command: &str) {
    assert!(between.starts_with(&format!("{command}\r\n")), "{between:?}");
    assert_eq!(between.matches(command).count(), 1, "{between:?}");
    assert!(!between.contains(['\x1b', '\x08']), "{between:?}");
}

#[test]
fn a_line_is_echoed_once_whatever_ends_it_and_however_it_comes() {
    for end in ["\r", "\n", "\r\n"] {
        let mut session = Session::at_prompt();
        for gap in [0, 1, 5, 30, 100] {
            let line = format!("listUsers{end}");
            match gap {
                0 => session.send(&line),
                _ => session.send_slowly(&line, Duration::from_millis(gap)),
            }
            assert_answered(&session.wait_for(PROMPT), "listUsers");
        }
        session.send(&format!("quit{end}"));
        let goodbye = session.wait_for("disconnecting from servers, please wait...");
        assert_eq!(goodbye.trim_end(), "quit");
        assert!(session.wait_for_end().success());
        session.assert_modes_restored();
    }
}

#[test]
fn two_lines_in_one_write_are_two_commands() {
    let mut session = Session::at_prompt();
    session.send("listUsers\rlistUsers\r");
    assert_answered(&session.wait_for(PROMPT), "listUsers");
    assert_answered(&session.wait_for(PROMPT), "listUsers");
}

#[test]
fn a_pasted_tab_is_a_blank() {
    let mut session = Session::at_prompt();
    session.send("listUsers\t\rlistUsers\r");
    assert!(session.wait_for(PROMPT).starts_with("listUsers \r\n"));
    assert_answered(&session.wait_for(PROMPT), "listUsers");
}

#[test]
fn blank_lines_are_prompts_only() {
    let mut session = Session::at_prompt();
    session.send("\r\n\n\r");
    for _ in 0..3 {
        assert_eq!(session.wait_for(PROMPT), "\r\n");
    }
}

#[test]
fn what_is_typed_before_the_first_prompt_waits_for_it() {
    let mut session = Session::start(&console(), "xterm");
    session.wait_for("onnect");
    session.send("listUsers\r");
    assert!(!session.wait_for(PROMPT).contains("listUsers"));
    assert_answered(&session.wait_for(PROMPT), "listUsers");
}

#[test]
fn ctrl_c_abandons_a_line_and_a_question_but_not_what_is_typed_after_it() {
    let mut session = Session::at_prompt();
    session.send("listUs\x03listUsers\r");
    assert_eq!(session.wait_for(PROMPT), "listUs^C\r\n");
    assert_answered(&session.wait_for(PROMPT), "listUsers");
    session.send("createUser CU crypto opensesame\r");
    assert!(
        session.wait_for("Do you want to continue(y/n)?").starts_with("createUser CU crypto **********\r\n")
    );
    session.send("n\x7fy\x03");
    let abandoned = session.wait_for(PROMPT);
    assert!(abandoned.starts_with("n\x08 \x08y^C\r\n"), "{abandoned:?}");
    assert!(!abandoned.contains("success"), "{abandoned:?}");
}

#[test]
fn ctrl_d_quits_on_a_blank_line_only() {
    let mut session = Session::at_prompt();
    session.send("listUsers\x04");
    session.wait_for_row("aws-cloudhsm>listUsers");
    session.send("\r");
    session.wait_for_row(PROMPT);
    session.send("\x04");
    let before = session.wait_for("disconnecting from servers, please wait...");
    assert!(before.ends_with(&format!("{PROMPT}\r\n")), "{before:?}");
    assert!(session.wait_for_end().success());
    session.assert_modes_restored();
}

#[test]
fn ctrl_d_at_a_question_is_no_and_ends_the_session() {
    let mut session = Session::at_prompt();
    session.send("createUser CU crypto opensesame\rn\x7f\x04");
    session.wait_for("Do you want to continue(y/n)?");
    let goodbye = session.wait_for("disconnecting from servers, please wait...");
    assert!(!goodbye.contains("success"), "{goodbye:?}");
    assert!(!goodbye.contains(PROMPT), "{goodbye:?}");
    session.wait_for_end();
    session.assert_modes_restored();
}

#[test]
fn a_person_can_edit() {
    let mut session = Session::at_prompt();
    for (keys, line) in [
        (format!("listUers{}s", LEFT.repeat(3)), "listUsers"),
        ("listUsersx\x7f".to_owned(), "listUsers"),
        ("lstUsers\x01\x1b[Ci".to_owned(), "listUsers"),
        ("nothing\x15listUsers\x17listUsers".to_owned(), "listUsers"),
    ] {
        session.send(&keys);
        session.wait_for_row(&format!("{PROMPT}{line}"));
        session.send("\r");
        session.wait_for("\r\n");
        session.wait_for(PROMPT);
        session.wait_for_row(PROMPT);
    }
}

#[test]
fn history_brings_lines_back() {
    let mut session = Session::at_prompt();
    session.send("listUsers\r");
    session.wait_for(PROMPT);
    session.send("nonsense\r");
    session.wait_for(PROMPT);
    for keys in [UP.repeat(2), "\x10\x10".to_owned()] {
        session.send(&keys);
        session.wait_for_row("aws-cloudhsm>listUsers");
        session.send("\x03");
        session.wait_for_row(PROMPT);
    }
    session.send("\x12list");
    session.wait_for_row("(reverse-i-search)`list': listUsers");
    session.send("\r");
    session.wait_for_row(PROMPT);
}

#[test]
fn a_line_typed_behind_an_editing_key_is_not_lost() {
    let mut session = Session::at_prompt();
    session.send(&format!("listUers{LEFT}{LEFT}{LEFT}s\r\n{LOGIN}\rpassword\rlistUsers\r"));
    let edited = session.wait_for(LOGIN);
    assert!(!edited.contains(&format!("{PROMPT}\r\n{PROMPT}")), "{edited:?}");
    session.wait_for("Enter password:");
    assert_eq!(without_status(&session.wait_for(LOGGED_IN)).trim(), "");
    session.wait_for(PROMPT);
    assert_answered(&session.wait_for(PROMPT), "listUsers");
}

#[test]
fn a_line_longer_than_the_screen_is_taken_over_in_place() {
    let mut session = Session::at_prompt();
    let line = "a".repeat(140);
    session.send(&format!("{line}b{LEFT}c"));
    session.wait_for_row(&format!("{}cb", &line[67..]));
    assert_eq!(session.screen().matches(PROMPT).count(), 1, "{}", session.screen());
    session.send("\x03");
    session.wait_for_row(PROMPT);
}

#[test]
fn a_dumb_terminal_gets_no_escape_sequence() {
    for term in ["dumb", ""] {
        let mut session = Session::start(&console(), term);
        session.wait_for(PROMPT);
        session.send("listUserz\x7fs\x1b[A\x12\r");
        let between = session.wait_for(PROMPT);
        assert!(between.starts_with("listUserz\x08 \x08s\r\n"), "{between:?}");
        session.send("\x04");
        assert!(session.wait_for_end().success());
        assert!(!session.everything().contains('\x1b'));
        session.assert_modes_restored();
    }
}

#[test]
fn the_terminal_is_as_it_was_after_every_signal() {
    for before in ["", "listUsers", &format!("listUsers{LEFT}")] {
        for signal in ["-INT", "-TERM", "-HUP", "-QUIT"] {
            let mut session = Session::at_prompt();
            session.send(before);
            session.wait_for_row(&format!("{PROMPT}{}", before.trim_end_matches(LEFT)));
            // The editor paints once it is there.
            session.wait_until(|output| !before.ends_with(LEFT) || output.contains('\x1b'));
            session.signal(signal);
            let end = session.wait_for_end();
            assert!(end.signal().is_some(), "{signal}: {end:?}");
            session.assert_modes_restored();
        }
    }
}

#[test]
fn ctrl_c_ends_the_waiting_for_a_server_that_does_not_answer() {
    let cluster = Cluster::run(2);
    let mut session = Session::start(&cluster.console(), "xterm");
    session.wait_for(PROMPT);
    session.send("x\x7f");
    session.wait_for_row(PROMPT);
    let [_, one] = cluster.names();
    cluster.signal(1, "-STOP");
    session.send("listUsers\r");
    // Only a person hears that the other server has answered.
    session.wait_for(&format!(" s for server 1({one})"));
    session.send("\x03");
    let listed = session.wait_for(PROMPT);
    assert!(listed.contains("Users on server 0("), "{listed}");
    assert!(listed.contains("listUsers failed: interrupted before the server answered"), "{listed}");
    cluster.signal(1, "-CONT");
    session.send("listUsers\r");
    let listed = session.wait_for(PROMPT);
    assert!(listed.contains("Reconnected to server 1(") && listed.contains("Users on server 1("), "{listed}");
    session.send("quit\r");
    assert!(session.wait_for_end().success());
    session.assert_modes_restored();
}

/// A pipe that nobody writes to, and a terminal, where the password would be seen.
#[test]
fn a_password_that_does_not_come_can_be_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut session = Session::at_prompt();
    session.send(&format!("x\x7floginHSM PRECO admin -file {}\r", pipe.display()));
    session.wait_for("Waiting 1 s for ");
    session.send("\x03");
    session.wait_for("No password: interrupted\r\n");
    session.wait_for_row(PROMPT);
    session.send("loginHSM PRECO admin -file /dev/tty\r");
    session.wait_for("No password: /dev/tty: a terminal; use -hpswd to type a password\r\n");
    session.wait_for_row(PROMPT);
    session.send("loginHSM PRECO admin -fd 0\r");
    session.wait_for("No password: standard input carries the commands");
}

#[test]
fn data_are_not_for_who_types() {
    let mut session =
        Session::start(&[console(), ["--output", "json"].map(str::to_owned).to_vec()].concat(), "xterm");
    session.wait_for("--output json reads commands from -c, -f or a pipe, not from a terminal");
    assert_eq!(session.wait_for_end().exit_code(), 2);
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_back() {
    must_be_installed("bash");
    let mut session = Session::start(&["bash", "--norc", "-i"].map(str::to_owned), "xterm");
    session.wait_for("shell$ ");
    session.send(&format!("{}\r", console().join(" ")));
    session.wait_for(PROMPT);
    for typed in ["listU", &format!("listU{LEFT}")] {
        session.send(typed);
        session.wait_for_row("aws-cloudhsm>listU");
        session.send("\x1a");
        session.wait_for("Stopped");
        session.wait_for("shell$ ");
        session.send("stty -a\r");
        session.wait_for(" icanon");
        session.wait_for(" echo ");
        session.wait_for("shell$ ");
        session.send("fg\r");
        session.wait_for_row("aws-cloudhsm>listU");
        session.send("\x03");
        session.wait_for_row(PROMPT);
    }
    session.send("\x1a");
    session.wait_for("Stopped");
    session.send("kill %1; while kill -0 %1 2> /dev/null; do sleep .1; done; echo go''ne\r");
    session.wait_for("gone");
}

#[test]
fn a_real_expect_script_runs_at_any_typing_speed() {
    must_be_installed("expect");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/expect/session.exp");
    for speed in ["at once", "steadily", "like a person"] {
        let mut command = Command::new("expect");
        let state = tempfile::tempdir().unwrap();
        command.args(["-f", script, speed]).args(console()).env("TERM", "xterm");
        let output = command.env("XDG_STATE_HOME", state.path()).output().unwrap();
        let transcript = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{speed}: {transcript}");
        assert!(!transcript.contains('\x1b'), "{speed}: {transcript:?}");
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 0, "a program's lines are not kept");
    }
}

#[test]
fn a_real_pexpect_script_runs() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/expect/session.py");
    let state = tempfile::tempdir().unwrap();
    let mut command = Command::new("python3");
    command.arg(script).args(console()).env("TERM", "xterm").env("XDG_STATE_HOME", state.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
