//! Passwords, typed in a line or asked for, edited or not.

use crate::session::{PROMPT, Session, console, wait_for_text};
use crate::{LEFT, LOGGED_IN, LOGIN, UP, assert_answered};

#[test]
fn an_edited_secret_stays_hidden() {
    let mut session = Session::at_prompt();
    session.send(&format!("loginHSM CO admin sesame{LEFT}"));
    session.wait_for_row("aws-cloudhsm>loginHSM CO admin ******");
    session.send(&format!("open{LEFT}{LEFT}"));
    session.wait_for_row("aws-cloudhsm>loginHSM CO admin **********");
    // Without its command, moved by cut and paste, and brought back by the history.
    session.send("\x01\x1b[3~\x1b[3~");
    session.wait_for_row("aws-cloudhsm>ginHSM CO admin **********");
    session.send("\x05\x17\x01\x19lo");
    session.wait_for_row("aws-cloudhsm>loginHSM CO admin");
    session.send("\x05sesame\r");
    session.wait_for(PROMPT);
    session.wait_for_row(PROMPT);
    session.send("\x19now\x19");
    session.wait_for_row("aws-cloudhsm>now");
    session.send("\x15\x19");
    session.wait_for_row("aws-cloudhsm>now");
    session.send(&format!("\x15{UP}"));
    session.wait_for_row("aws-cloudhsm>loginHSM CO admin -hpswd [-2fa </path/to/authdata>]");
    assert!(!session.everything().contains("sesam"), "{:?}", session.everything());
}

#[test]
fn a_secret_out_of_its_place_is_neither_shown_nor_brought_back() {
    let mut session = Session::start_with(&console(), &[("TERM", "xterm"), ("NO_COLOR", "1")]);
    session.wait_for(PROMPT);
    session.send(&format!("loginHSM CO admin opensesame{}\x15", LEFT.repeat(6)));
    session.wait_for_row("aws-cloudhsm>******");
    session.send("\x15\x0b");
    session.wait_for_row(PROMPT);
    session.send("loginHSM CO admin opensesame\x01xhelp\x1b[D\x1b[D\x1b[D\x1b[D\x7f\x05 ");
    session.wait_for_row("aws-cloudhsm>helploginHSM CO admin **********");
    session.send("\r");
    session.wait_for("Unknown command helploginHSM");
    session.wait_for_row(PROMPT);
    session.send("help loginHSM CO admin opensesame\r");
    session.wait_for("too many arguments");
    session.send(UP);
    session.wait_for_row("aws-cloudhsm>help loginHSM CO admin -hpswd");
    session.send(UP);
    session.wait_for_row("aws-cloudhsm>helploginHSM CO admin -hpswd");
    session.send("\x15loginHSM CO admin opensesame\x1bt");
    session.wait_for_row("aws-cloudhsm>loginHSM CO ********** *****");
    session.send("\r");
    session.wait_for_row(PROMPT);
    session.send(UP);
    session.wait_for_row("aws-cloudhsm>help loginHSM CO admin -hpswd");
    assert!(!session.everything().contains("sesame"), "{:?}", session.everything());
}

/// Guessing would make one password of several.
#[test]
fn bytes_that_are_no_text_are_not_left_out_of_a_password() {
    let mut session = Session::at_prompt();
    for keys in
        [&b"loginHSM PRECO admin pass\xe4word\r"[..], b"loginHSM PRECO admin pass\xff\x1b[Dword\x05\r"]
    {
        session.send_bytes(keys);
        session.wait_for("Line ignored: not valid UTF-8");
        session.wait_for_row(PROMPT);
    }
    session.send(&format!("{LOGIN}\r"));
    session.wait_for("Enter password:");
    session.send_bytes(b"pass\xc3word\r");
    session.wait_for("Line ignored: not valid UTF-8");
    session.wait_for_row(PROMPT);
    let everything = session.everything();
    assert!(!everything.contains("success") && !everything.contains("failed"), "{everything}");
    session.send("loginHSM PRECO admin geh\u{e4}im\r");
    session.wait_for("RET_USER_LOGIN_FAILURE");
}

#[test]
fn what_is_typed_ahead_of_a_hidden_password_is_neither_lost_nor_shown() {
    let mut session = Session::at_prompt();
    session.send(&format!("{LOGIN}\rpassword\rlistUsers\r"));
    assert_eq!(session.wait_for("Enter password:"), format!("{LOGIN}\r\n"));
    assert_eq!(session.wait_for(LOGGED_IN).trim(), "");
    session.wait_for(PROMPT);
    assert_answered(&session.wait_for(PROMPT), "listUsers");
}

#[test]
fn a_hidden_password_can_be_corrected() {
    let mut session = Session::at_prompt();
    session.send(&format!("{LOGIN}\r"));
    session.wait_for("Enter password:");
    session.send("wrong\x15pass\x1b[Dwordx\x7f\r");
    assert_eq!(session.wait_for(LOGGED_IN).trim(), "");
}

#[test]
fn a_password_stays_hidden_when_the_output_goes_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("log");
    let redirected = format!("{} > {} 2>&1", console().join(" "), output.display());
    let mut session = Session::start(&["sh", "-c", &redirected].map(str::to_owned), "xterm");
    wait_for_text(&output, PROMPT);
    session.send(&format!("{LOGIN}\r"));
    wait_for_text(&output, "Enter password: ");
    session.send("password\r");
    wait_for_text(&output, LOGGED_IN);
    session.send("\x04");
    session.wait_for_end();
    // The kernel echoes what is not hidden.
    session.wait_until(|output| output.contains("-hpswd"));
    assert!(!session.everything().contains("password"), "{:?}", session.everything());
    session.assert_modes_restored();
}
