//! The lines that later sessions bring back, and those that no file may hold.

use std::os::unix::fs::PermissionsExt;

use crate::session::{PROMPT, Session, console};
use crate::{LEFT, UP};

/// In every password below.
const CANARY: &str = "sesame";

fn lines(session: &Session) -> Vec<String> {
    session.kept().lines().skip(1).map(str::to_owned).collect()
}

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
    earlier.send("\x04");
    earlier.wait_for_end();
    let file = state.path().join("cloudhsm/cloudhsm_mgmt_util_history");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
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

    let without: Vec<_> = console().into_iter().chain(["--no-history".to_owned()]).collect();
    let mut without = Session::start_with(&without, &variables);
    without.wait_for(PROMPT);
    without.send(UP);
    enter(&mut without, "listTokens");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "#V2\nlistUsers\ngetMValue 3\n");
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
    assert!(!session.kept().contains(CANARY), "{}", session.kept());
    let prompted = ["loginHSM CO admin -hpswd", "createUser CU alice -hpswd", "listUsers", "quit"];
    assert_eq!(lines(&session), prompted);
}

#[test]
fn a_terminal_without_an_editor_keeps_nothing() {
    let mut session = Session::start(&console(), "dumb");
    session.wait_for(PROMPT);
    enter(&mut session, "listUsers");
    assert_eq!(session.kept(), "");
}
