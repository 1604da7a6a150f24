//! `cloudhsm_mgmt_util commands`: the help of the prompt, without one.

use cloudhsm::cmu::COMMANDS;

use crate::process::{PROMPT, console, run};

#[test]
fn it_prints_what_help_prints_at_the_prompt() {
    let lines = COMMANDS.iter().map(|command| format!("help {}\n", command.name));
    let session =
        run(&mut console(&["--dev", "1"]), &format!("help\nhelp listU\n{}", lines.collect::<String>()));
    let session = session.with_code(0).stdout;
    let mut said = session.split(PROMPT).skip(1).map(|command| command.split_once('\n').unwrap().1);
    let words = [None, Some("listU")].into_iter().chain(COMMANDS.iter().map(|command| Some(command.name)));
    for word in words {
        let arguments: Vec<_> = ["commands"].into_iter().chain(word).collect();
        let printed = run(&mut console(&arguments), "").with_code(0);
        assert_eq!(
            (printed.stdout.as_str(), printed.stderr.as_str()),
            (said.next().unwrap(), ""),
            "{word:?}"
        );
        assert!(word.is_none() || printed.stdout.contains("\nExample: "), "{word:?}");
    }
}

#[test]
fn who_reads_no_further_is_no_failure_and_a_full_disk_is_one() {
    for (redirected, code) in [("| head -1; exit ${PIPESTATUS[0]}", 0), ("> /dev/full", 2)] {
        let mut shell = std::process::Command::new("bash");
        shell.args([
            "-c",
            &format!("\"$0\" commands {redirected}"),
            env!("CARGO_BIN_EXE_cloudhsm_mgmt_util"),
        ]);
        assert_eq!(run(&mut shell, "").with_code(code).stderr.is_empty(), code == 0);
    }
}

#[test]
fn a_word_that_is_no_command_is_refused_in_the_words_of_the_prompt() {
    for word in ["lisstUsers", "log", "xyzzy"] {
        let session = run(&mut console(&["--dev", "1"]), &format!("help {word}\n")).stdout;
        let said = session.split(PROMPT).nth(1).unwrap().split_once('\n').unwrap().1;
        let refused = run(&mut console(&["commands", word]), "").with_code(2);
        assert_eq!((refused.stdout, refused.stderr), (String::new(), format!("cloudhsm_mgmt_util: {said}")));
    }
    run(&mut console(&["commands", "quit", "exit"]), "").with_code(2);
}
