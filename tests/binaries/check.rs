//! `check`: runbooks that say what the console does.

use std::fs;

use crate::process::{Ended, console, run, text};

const RUNBOOK: &str = include_str!("../../examples/runbook.transcript");

#[test]
fn the_example_plays_as_it_stands() {
    let played = check(&["--dev", "2", "examples/runbook.transcript"]).with_code(0);
    assert_eq!((played.stdout.as_str(), played.stderr.as_str()), ("", ""));
}

/// A server fails where the transcript says so, and is back where it says so.
#[test]
fn the_example_of_a_fault_plays_as_it_stands() {
    let played = check(&["--dev", "2", "examples/server_dies.transcript"]).with_code(0);
    assert_eq!((played.stdout.as_str(), played.stderr.as_str()), ("", ""));
}

#[test]
fn what_differs_is_shown_and_update_writes_it() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("runbook.transcript");
    let file = text(&path);
    let altered = RUNBOOK
        .replace("Number of users found:3", "Number of users found:4")
        .replace("createUser success on server 0(127.0.1.1)", "createUser success on server 0([..])");
    assert_ne!(altered, RUNBOOK);
    fs::write(&path, &altered).unwrap();
    let differs = check(&["--dev", "2", file, "examples/runbook.transcript"]).with_code(1).stdout;
    assert!(differs.starts_with(&format!("--- {file}\n+++ {file} as played\n@@ ")), "{differs}");
    assert_eq!(
        differs.matches("\n-Number of users found:4\n+Number of users found:3\n").count(),
        2,
        "{differs}"
    );
    assert!(!differs.contains("+createUser"), "a line with [..] fits: {differs}");
    check(&["--dev", "2", "--update", file]).with_code(0);
    let updated = fs::read_to_string(&path).unwrap();
    assert_eq!(updated, altered.replace("Number of users found:4", "Number of users found:3"));
}

/// As some editors write them.
#[test]
fn lines_may_end_in_two_ways() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("runbook.transcript");
    let runbook = RUNBOOK.replace('\n', "\r\n");
    fs::write(&path, &runbook).unwrap();
    check(&["--dev", "2", text(&path)]).with_code(0);
    check(&["--dev", "2", "--update", text(&path)]).with_code(0);
    assert_eq!(fs::read_to_string(&path).unwrap(), runbook);
}

#[test]
fn a_transcript_that_is_only_a_script_is_filled_in_and_then_holds() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("short");
    fs::write(&path, "aws-cloudhsm>loginHSM PRECO admin wrong123\naws-cloudhsm>quit\n").unwrap();
    check(&["--dev", "1", text(&path)]).with_code(1);
    check(&["--dev", "1", "--update", text(&path)]).with_code(0);
    let filled = fs::read_to_string(&path).unwrap();
    assert!(filled.contains("loginHSM failed: HSM Error: RET_USER_LOGIN_FAILURE\n"), "{filled}");
    check(&["--dev", "1", text(&path)]).with_code(0);
}

#[test]
fn wrong_usage_and_what_cannot_be_played_are_told_apart_from_differences() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("staged");
    fs::write(&path, "# A story.\n#! servers 3\naws-cloudhsm>quit\n").unwrap();
    let staged = text(&path);
    for (arguments, why) in [
        (&["--dev", "1", staged][..], "#! servers 3: not a stage direction"),
        (&["--dev", "1", "/none"], "/none: No such file or directory"),
        (&["--config", "/none", staged], "/none: No such file or directory"),
        (&[staged], "required"),
        (&["--dev", "1"], "required"),
    ] {
        let wrong = check(arguments).with_code(2);
        assert!(wrong.stderr.contains(why) && wrong.stdout.is_empty(), "{}", wrong.stderr);
    }
}

fn check(arguments: &[&str]) -> Ended {
    run(&mut console(&[&["check"], arguments].concat()), "")
}
