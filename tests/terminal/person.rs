//! What only a person sees: somebody who has pressed an editing key.

use crate::cluster::Cluster;
use crate::session::{PROMPT, Session, console};
use crate::{LEFT, LOGIN};

/// A session of somebody who has shown to be a person.
fn person(arguments: &[String], variables: &[(&str, &str)]) -> Session {
    let mut session = Session::start_with(arguments, &[&[("TERM", "xterm")], variables].concat());
    session.wait_for(PROMPT);
    session.send("x\x7f");
    session.wait_for_row(PROMPT);
    session.send("quit\x03");
    session.wait_for("quit");
    session.wait_for_row(PROMPT);
    session.skip();
    session
}

#[test]
fn a_pause_shows_what_could_follow() {
    let mut session = person(&console(), &[]);
    session.send("deleteUser");
    session.wait_for_row("aws-cloudhsm>deleteUser <user-type> <user-name>");
    session.send(" CU ");
    session.wait_for_row("aws-cloudhsm>deleteUser CU <user-name>");
    // It is no part of the line.
    session.send("\x1b[C\x05\r");
    session.wait_for("user-name is missing");
    session.wait_for_row(PROMPT);
    session.send("loginHSM CO admin sesame");
    session.wait_for_row("aws-cloudhsm>loginHSM CO admin ****** [-2fa </path/to/authdata>]");
    session.send(LEFT);
    session.wait_for_row("aws-cloudhsm>loginHSM CO admin ******");
    session.send("\x03");
    session.wait_for_row(PROMPT);
    session.send("deleteUser ");
    session.wait_for_row("aws-cloudhsm>deleteUser <user-type> <user-name>");
    session.send("\x03");
    session.wait_for_row(PROMPT);
    assert!(session.screen().ends_with("aws-cloudhsm>deleteUser \naws-cloudhsm>"), "{}", session.screen());
}

#[test]
fn nobody_else_gets_hints() {
    let mut anybody = Session::at_prompt();
    let mut without_colours = person(&console(), &[("NO_COLOR", "1")]);
    let mut with_colours = person(&console(), &[]);
    for session in [&mut anybody, &mut without_colours] {
        session.send("deleteUser");
        session.wait_for_row("aws-cloudhsm>deleteUser");
    }
    // By now the others would have theirs.
    with_colours.send("deleteUser");
    with_colours.wait_for_row("aws-cloudhsm>deleteUser <user-type> <user-name>");
    for session in [&mut anybody, &mut without_colours] {
        session.send("\x03");
        session.wait_for_row(PROMPT);
        assert!(!session.everything().contains("user-name"), "{}", session.everything());
    }
}

#[test]
fn a_wide_table_is_readable_on_a_narrow_screen() {
    let mut session = person(&console(), &[]);
    session.send("listUsers\r");
    let listed = session.wait_for(PROMPT);
    assert!(
        listed.contains("1        PRECO      admin      NO          0                NO\r\n"),
        "{listed}"
    );
    assert!(listed.split("\r\n").all(|row| row.len() <= 80), "{listed}");
    let mut anybody = Session::at_prompt();
    anybody.send("listUsers\r");
    let listed = anybody.wait_for(PROMPT);
    assert!(listed.contains("\t\tUser Type\tUser Name\t\t\t   MofnPubKey\t"), "{listed}");
}

#[test]
fn a_command_that_takes_its_time_says_for_whom_it_waits() {
    let cluster = Cluster::run(3);
    let mut session = person(&cluster.console(), &[]);
    let [_, one, two] = cluster.names();
    (1..3).for_each(|node| cluster.signal(node, "-STOP"));
    session.send("listUsers\r");
    session.wait_for(&format!(" s for server 1({one}), server 2({two})"));
    session.send("\r");
    session.wait_for(&format!("s for server 1({one}), server 2({two}); press Ctrl-C to interrupt\r\n"));
    cluster.signal(1, "-CONT");
    session.wait_for(&format!("s for server 2({two})"));
    session.send("\x03");
    let listed = session.wait_for(PROMPT);
    assert!(listed.contains("Users on server 1("), "{listed}");
    assert!(listed.contains("interrupted before the server answered"), "{listed}");
    assert!(listed.contains(&format!("listUsers failed on server 2({two})")), "{listed}");
    // Enter was for the command; what stands between is no prompt.
    session.wait_for_row(PROMPT);
    cluster.signal(2, "-CONT");
}

/// A program's lines wait for their prompts, blank ones, too, and nothing stands between.
#[test]
fn nobody_else_is_told_and_what_is_typed_ahead_waits() {
    let cluster = Cluster::run(1);
    let mut anybody = Session::start(&cluster.console(), "xterm");
    anybody.wait_for(PROMPT);
    let mut person = person(&cluster.console(), &[]);
    cluster.signal(0, "-STOP");
    anybody.send("listUsers\r\r");
    anybody.wait_for("listUsers\r\n");
    person.send(&format!("listUsers\r{LOGIN}\rpassword\r"));
    // Asked later, and told already.
    person.wait_for("Waiting ");
    cluster.signal(0, "-CONT");
    let listed = anybody.wait_for(PROMPT);
    assert!(listed.starts_with("Users on server 0("), "{listed}");
    assert_eq!(anybody.wait_for(PROMPT), "\r\n");
    person.wait_for(LOGIN);
    person.wait_for("loginHSM success");
}
