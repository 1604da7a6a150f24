//! Tab, for a person.

use std::time::Duration;

use crate::session::{PROMPT, Session};

/// Longer than a program takes between two keys of a paste.
const PAUSE: Duration = Duration::from_millis(80);

fn tab(session: &mut Session, line: &str) {
    session.send(line);
    std::thread::sleep(PAUSE);
    session.send("\t");
}

#[test]
fn tab_completes_commands_users_and_files() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("approval.txt"), "").unwrap();
    let mut session = Session::at_prompt();
    tab(&mut session, "listU");
    session.wait_for_row("aws-cloudhsm>listUsers");
    session.send("\r");
    session.wait_for("app_user");
    session.wait_for(PROMPT);
    tab(&mut session, "changePswd PRECO a");
    session.wait_for_row("aws-cloudhsm>changePswd PRECO admin <password |-hpswd |-env NAME |-file PATH |…");
    session.send("\x03");
    session.wait_for(PROMPT);
    let path = format!("{}/app", folder.path().display());
    tab(&mut session, &format!("approveToken {path}"));
    session.wait_for_row(&format!("aws-cloudhsm>approveToken {path}roval.txt"));
}

#[test]
fn tab_shows_what_there_is_and_completes_no_secret() {
    let mut session = Session::at_prompt();
    tab(&mut session, "list");
    session.send("\t");
    session.wait_for("listAttributes");
    session.wait_for("listTokens");
    session.wait_for("listUsers");
    session.send("\x03");
    session.wait_for(PROMPT);
    tab(&mut session, "loginHSM CO admin swordf");
    session.send("ish\t -2");
    session.send("\t");
    session.wait_for_row("aws-cloudhsm>loginHSM CO admin ********* -2fa </path/to/authdata>");
    assert!(!session.everything().contains("swordf"));
}
