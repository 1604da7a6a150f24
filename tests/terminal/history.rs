//! The lines that later sessions bring back, and those that no file may hold.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::session::{PROMPT, Session, console};
use crate::{LEFT, UP};

/// In every password below.
const CANARY: &str = "sesame";

const CONSOLE: &str = "cloudhsm_mgmt_util";

fn enter(session: &mut Session, line: &str) {
    session.send(&format!("{line}\r"));
    session.wait_for(PROMPT);
}

#[test]
fn a_later_session_brings_lines_back() {
    let state = tempfile::tempdir().unwrap();
    let variables = [("TERM", "xterm"), ("XDG_STATE_HOME", state.path().to_str().unwrap())];
    let mut earlier = Session::start_with(&console(), &variables);
    earlier.wait_for(PROMPT);
    enter(&mut earlier, "listUsers");
    enter(&mut earlier, "getMValue 3");
    let file = state.path().join("cloudhsm/cloudhsm_mgmt_util_history");
    assert!(!file.exists(), "it may be a program");
    earlier.send("x\x7f\x04");
    earlier.wait_for_end();
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let mut later = Session::start_with(&console(), &variables);
    later.wait_for(PROMPT);
    later.send(&UP.repeat(2));
    later.wait_for_row("aws-cloudhsm>listUsers");
    later.send("\x03");
    later.wait_for_row(PROMPT);
    later.send("\x12Value");
    later.wait_for_row("(reverse-i-search)`Value': getMValue 3");
    later.send("\x03");

    later.wait_for_row(PROMPT);
    later.skip();
    enter(&mut later, "info");
    assert_eq!(fs::read_to_string(&file).unwrap(), "#V2\nlistUsers\ngetMValue 3\ninfo\n");

    let without: Vec<_> = console().into_iter().chain(["--no-history".to_owned()]).collect();
    let mut without = Session::start_with(&without, &variables);
    without.wait_for(PROMPT);
    without.send(&format!("{UP}listTokens"));
    without.wait_for_row("aws-cloudhsm>listTokens");
    without.send("\rquit\r");
    without.wait_for_end();
    assert_eq!(fs::read_to_string(file).unwrap(), "#V2\nlistUsers\ngetMValue 3\ninfo\n");
}

/// However the line came to be.
#[test]
fn no_file_holds_a_secret() {
    let mut session = Session::at_prompt();
    for line in [
        "loginHSM PRECO admin sesame01",
        "login PRECO admin sesame01",
        "loginHSM PRECO sesame01",
        "loginHSM sesame01 PRECO admin",
        "loginhsm PRECO admin sesame01",
        "sesame01",
        "createUser CU sesame sesame01 sesame02 sesame03",
        "loginHSM CO admin -hpswd sesame01",
        // Edited: brought to its place, and out of it.
        &format!("loginHSM CO admin{LEFT}\x05 sesame01"),
        &format!("sesame01{LEFT}\x01loginHSM CO admin "),
        &format!("loginHSM CO admin sesame01{LEFT}\x01\x1bd\x1bd\x1bdhelp"),
    ] {
        enter(&mut session, line);
    }
    session.wait_for_row(PROMPT);
    session.skip();
    // Pasted in several lines.
    session.send("loginHSM CO admin -hpswd\rsesame01\rcreateUser CU alice\rsesame02\r");
    (0..3).for_each(|_| drop(session.wait_for(PROMPT)));
    session.send("createUser CU alice -hpswd\rsesame01\rsesame02\r");
    session.wait_for(PROMPT);
    session.send(&format!("listUsers{LEFT}\rquit\r"));
    session.wait_for_end();
    let kept = session.kept(CONSOLE);
    assert!(!kept.contains(CANARY), "{kept}");
    let prompted = ["#V2", "loginHSM CO admin -hpswd", "createUser CU alice -hpswd", "listUsers", "quit"];
    assert_eq!(kept.lines().collect::<Vec<_>>(), prompted);
}

#[test]
fn a_terminal_without_an_editor_keeps_nothing() {
    let mut session = Session::start(&console(), "dumb");
    session.wait_for(PROMPT);
    enter(&mut session, "x\x7flistUsers");
    assert_eq!(session.kept(CONSOLE), "");
}
