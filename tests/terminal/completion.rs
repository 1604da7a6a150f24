//! Tab, for a person.

use std::time::{Duration, Instant};

use cloudhsm::wire::Limits;

use crate::cluster::Cluster;
use crate::session::{PROMPT, Session, console};

/// Longer than a program takes between two keys of a paste.
const PAUSE: Duration = Duration::from_millis(80);

/// As long as what the servers said is good, and a little longer.
const FRESH: Duration = Duration::from_millis(3200);

/// At the first prompt, with nothing in the row but what is in the line.
fn without_hints(arguments: &[String]) -> Session {
    let mut session = Session::start_with(arguments, &[("TERM", "xterm"), ("NO_COLOR", "1")]);
    session.wait_for(PROMPT);
    session
}

fn tab(session: &mut Session, line: &str) {
    session.send(line);
    std::thread::sleep(PAUSE);
    session.send("\t");
}

#[test]
fn tab_completes_commands_and_files() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("approval.txt"), "").unwrap();
    let mut session = without_hints(&console());
    tab(&mut session, "listU");
    session.wait_for_row("aws-cloudhsm>listUsers");
    session.send("\r");
    session.wait_for("app_user");
    session.wait_for(PROMPT);
    let path = format!("{}/app", folder.path().display());
    tab(&mut session, &format!("approveToken {path}"));
    session.wait_for_row(&format!("aws-cloudhsm>approveToken {path}roval.txt"));
}

#[test]
fn tab_asks_the_servers_for_users() {
    let mut session = without_hints(&console());
    tab(&mut session, "loginHSM PRECO a");
    session.wait_for_row("aws-cloudhsm>loginHSM PRECO admin");
    session.send("password\r");
    session.wait_for(PROMPT);
    session.send("changePswd PRECO admin newpassword1\ry\r");
    session.wait_for("changePswd success");
    session.send("createUser CU bob bobpassword\ry\r");
    session.wait_for("createUser success");
    std::thread::sleep(FRESH);
    tab(&mut session, "deleteUser CU ");
    session.wait_for_row("aws-cloudhsm>deleteUser CU bob");
    session.send("\r");
    session.wait_for("deleteUser success");
    session.wait_for(PROMPT);
    std::thread::sleep(FRESH);
    tab(&mut session, "loginHSM CU ");
    std::thread::sleep(FRESH);
    session.send("x");
    session.wait_for_row("aws-cloudhsm>loginHSM CU x");
}

#[test]
fn a_server_that_stands_still_does_not_keep_tab_from_the_others_users() {
    let cluster = Cluster::run(2);
    let mut session = without_hints(&cluster.console());
    cluster.signal(1, "-STOP");
    let began = Instant::now();
    tab(&mut session, "syncUser ");
    session.send("\t");
    session.wait_for("1   2");
    let asked = cluster.log(0).matches("call=\"ListUsers\"").count();
    assert!(asked == 1 || began.elapsed() > FRESH, "Tab Tab asks once: {}", cluster.log(0));
    session.send("\x15");
    tab(&mut session, "loginHSM PRECO a");
    session.wait_for_row("aws-cloudhsm>loginHSM PRECO admin");
    let limit = Limits::default().connect;
    assert!(began.elapsed() < limit, "{:?} {limit:?}", began.elapsed());
}

#[test]
fn tab_shows_what_there_is_and_completes_no_secret() {
    let mut session = without_hints(&console());
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
    session.wait_for_row("aws-cloudhsm>loginHSM CO admin ********* -2fa");
    assert!(!session.everything().contains("swordf"));
}
