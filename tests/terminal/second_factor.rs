//! What a person types for a second factor, and for a key with a pass phrase.

use std::path::Path;
use std::process::Command;

use crate::session::{PROMPT, Session, console, must_be_installed};

const QUESTION: &str = "Enter filename:";

#[test]
fn the_password_is_starred_and_the_path_is_not_and_enter_takes_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let authdata = text(&folder.path().join("authdata"));
    let mut session = Session::at_prompt();
    session.send(&format!("loginHSM PRECO admin password -2fa {authdata}\r"));
    let told = session.wait_for(QUESTION);
    assert!(told.starts_with(&format!("loginHSM PRECO admin ******** -2fa {authdata}\r\n")), "{told:?}");
    assert!(told.ends_with("Leave this field blank to use the path initially provided.\r\n"), "{told:?}");
    session.send("\r");
    let answered = session.wait_for(PROMPT);
    assert_eq!(answered, "\r\nloginHSM success on server 0(127.0.1.1)\r\n");

    session.send(&format!("loginHSM PRECO admin password -2fa {authdata}\r"));
    session.wait_for(QUESTION);
    session.send("\x03");
    assert!(!session.wait_for(PROMPT).contains("success"), "Ctrl-C is no answer");
}

#[test]
fn a_pass_phrase_is_not_shown_and_ctrl_c_signs_nothing() {
    must_be_installed("openssl");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| text(&folder.path().join(name));
    let key = ["genrsa", "-aes256", "-passout", "pass:not to be seen", "-out", &path("officer.key"), "2048"];
    assert!(Command::new("openssl").args(key).output().unwrap().status.success());
    std::fs::write(path("token"), "anything").unwrap();
    let program = &console()[0];
    let arguments = [program, "sign", "--key", &path("officer.key"), &path("token")].map(str::to_owned);
    let question = format!("Enter pass phrase for {}:", path("officer.key"));
    for (typed, signs) in [("\x03", false), ("wrong\r", false), ("not to be seen\r", true)] {
        let mut session = Session::start(&arguments, "xterm");
        session.wait_for(&question);
        session.send(typed);
        assert_eq!(session.wait_for_end().success(), signs, "{typed:?}");
        assert!(!session.everything().contains("seen"), "{:?}", session.everything());
        session.assert_modes_restored();
        assert_eq!(Path::new(&path("token.sig")).exists(), signs);
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
