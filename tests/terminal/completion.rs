//! Tab, for a person.

use std::time::{Duration, Instant};

use cloudhsm::wire::Limits;

use crate::cluster::Cluster;
use crate::session::{PROMPT, Session, console};

/// As long as what the servers said is good, and a little longer.
const FRESH: Duration = Duration::from_millis(3200);

/// At the first prompt, with nothing in the row but what is in the line.
fn without_hints(arguments: &[String]) -> Session {
    let mut session = Session::start_with(arguments, &[("TERM", "xterm"), ("NO_COLOR", "1")]);
    session.wait_for(PROMPT);
    session
}

/// Presses Tab after a line that is on the screen: what comes in one go is a paste.
fn tab(session: &mut Session, line: &str) {
    session.send(line);
    session.wait_for_row(format!("{PROMPT}{line}").trim_end());
    session.send("\t");
}

/// Tries again as long as the servers take longer than Tab waits for them.
fn try_until(session: &mut Session, mut is_right: impl FnMut(&mut Session) -> bool) {
    for _ in 0..10 {
        if is_right(session) {
            return;
        }
        session.send("\x15");
    }
    panic!("{}", session.screen());
}

fn tab_makes(session: &mut Session, line: &str, row: &str) {
    try_until(session, |session| {
        tab(session, line);
        session.has_row_within(FRESH, row)
    });
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
    tab_makes(&mut session, "loginHSM PRECO a", "aws-cloudhsm>loginHSM PRECO admin");
    session.send("password\r");
    session.wait_for(PROMPT);
    session.send("changePswd PRECO admin newpassword1\ry\r");
    session.wait_for("changePswd success");
    session.send("createUser CU bob bobpassword\ry\r");
    session.wait_for("createUser success");
    session.wait_for(PROMPT);
    tab_makes(&mut session, "deleteUser CU ", "aws-cloudhsm>deleteUser CU bob");
    session.send("\r");
    session.wait_for("deleteUser success");
    session.wait_for(PROMPT);
    session.send("createUser CU carl carlpassword\ry\r");
    session.wait_for("createUser success");
    session.wait_for(PROMPT);
    // It would stop between the two if bob were still known.
    tab_makes(&mut session, "loginHSM CU ", "aws-cloudhsm>loginHSM CU carl");
}

#[test]
fn a_server_that_stands_still_does_not_keep_tab_from_the_others_users() {
    let cluster = Cluster::run(2);
    let mut session = without_hints(&cluster.console());
    cluster.signal(1, "-STOP");
    let asked = || cluster.log(0).matches("call=\"ListUsers\"").count();
    let mut began = Instant::now();
    try_until(&mut session, |session| {
        began = Instant::now();
        let before = asked();
        tab(session, "syncUser ");
        session.send("\t");
        let is_listed = session.has_within(FRESH, "1   2");
        assert!(asked() <= before + 1 || began.elapsed() > FRESH, "Tab Tab asks once: {}", cluster.log(0));
        is_listed
    });
    let limit = Limits::default().connect;
    assert!(began.elapsed() < limit, "{:?} {limit:?}", began.elapsed());
    session.send("\x15");
    tab_makes(&mut session, "loginHSM PRECO a", "aws-cloudhsm>loginHSM PRECO admin");
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
    session.send("loginHSM CO admin swordf");
    session.wait_for_row("aws-cloudhsm>loginHSM CO admin ******");
    session.send("\tish\t -2");
    session.send("\t");
    session.wait_for_row("aws-cloudhsm>loginHSM CO admin ********* -2fa");
    assert!(!session.everything().contains("swordf"));
}
