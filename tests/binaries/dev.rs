//! The console with a cluster of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::cluster::listed;
use crate::process::{Ended, PROMPT, Process, console, run, text};

const COMMANDS: &str = "\
loginHSM PRECO admin password
changePswd PRECO admin officer123
y
createUser CU alice crypto12
y
listUsers
getHSMInfo
getClusterInfo
info server 1
server 1
listUsers
exit
deleteUser CU nobody
A
quit
";

#[test]
fn two_runs_of_the_same_commands_print_the_same_bytes() {
    let [first, second] = [(); 2].map(|()| run(&mut console(&["--dev", "3"]), COMMANDS).with_code(1));
    assert_eq!(listed(&first.stdout).len(), 4);
    assert_eq!(first.stdout, second.stdout);
    assert!(first.stderr.contains("loginHSM PRECO admin password"), "{}", first.stderr);
}

#[test]
fn three_hsms_are_the_default_and_the_config_needs_no_file() {
    let played = run(&mut console(&["--dev"]), "listUsers\n").with_code(0);
    assert_eq!(listed(&played.stdout), [["1 PRECO admin", "2 AU app_user"]; 3]);
}

#[test]
fn a_dev_folder_keeps_users_across_runs() {
    let home = tempfile::tempdir().unwrap();
    let kept = home.path().join("kept");
    let play = |nodes: &[&str], commands: &str| -> Ended {
        run(&mut console(&[&["--dev-dir", text(&kept), "--dev"], nodes].concat()), commands)
    };
    play(&["2"], COMMANDS).with_code(1);
    for nodes in [&["2"][..], &[]] {
        let again = play(nodes, "loginHSM CO admin officer123\nlistUsers\n").with_code(0);
        assert_eq!(listed(&again.stdout), [["1 CO admin", "2 AU app_user", "3 CU alice"]; 2]);
    }
    let other = play(&["3"], "").with_code(2);
    assert!(other.stderr.contains(text(&kept)), "{}", other.stderr);
    assert_eq!(other.stdout, "");
}

#[test]
fn a_dev_folder_that_is_something_else_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("notes.txt"), "mine").unwrap();
    let refused = run(&mut console(&["--dev", "1", "--dev-dir", text(home.path())]), "").with_code(2);
    assert!(refused.stderr.contains(text(home.path())), "{}", refused.stderr);
    assert_eq!(files(home.path()), [home.path().join("notes.txt")]);
}

#[test]
fn nothing_is_left_in_the_temporary_folder_after_quit() {
    let temporary = tempfile::tempdir().unwrap();
    run(&mut temporary_console(&temporary), COMMANDS).with_code(1);
    assert_eq!(files(temporary.path()), Vec::<PathBuf>::new());
}

#[test]
fn nothing_secret_is_left_in_the_temporary_folder_by_a_killed_console() {
    let temporary = tempfile::tempdir().unwrap();
    let mut console = Process::start(&mut temporary_console(&temporary));
    console.wait_for(PROMPT);
    console.command("loginHSM PRECO admin password");
    console.kill();
    for file in files(temporary.path()) {
        let written = fs::read_to_string(&file).unwrap();
        assert!(!written.contains("PRIVATE KEY"), "{}", file.display());
        assert!(file.extension().is_some_and(|kind| kind == "crt" || kind == "cfg"), "{}", file.display());
    }
}

fn temporary_console(temporary: &TempDir) -> Command {
    let mut console = console(&["--dev", "2"]);
    console.env("TMPDIR", temporary.path());
    console
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
