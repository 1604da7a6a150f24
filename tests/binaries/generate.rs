//! `--generate`: completion scripts and manual pages that know every option.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::process::{configure, console, hsmd, keys, run, text};

/// A program's name, how it is run, and its subcommands.
type Program = (&'static str, fn(&[&str]) -> Command, &'static [&'static [&'static str]]);

const PROGRAMS: [Program; 4] = [
    ("cloudhsm_mgmt_util", console, &[&[], &["sign"], &["commands"]]),
    ("key_mgmt_util", keys, &[&[]]),
    ("configure", configure, &[&[]]),
    (
        "hsmd",
        hsmd,
        &[
            &[],
            &["init"],
            &["cluster", "init"],
            &["cluster", "initialize"],
            &["run"],
            &["backup"],
            &["check-backup"],
            &["audit"],
        ],
    ),
];

#[test]
fn every_kind_has_every_long_option_of_the_help() {
    for (name, program, subcommands) in PROGRAMS {
        let options: BTreeSet<String> =
            subcommands.iter().flat_map(|words| long_options(program, words)).collect();
        assert!(options.contains("generate") && options.contains("help"), "{name}: {options:?}");
        for kind in ["bash", "zsh", "fish", "man"] {
            let generated = generated(program, kind).replace("\\-", "-");
            for option in &options {
                let written = if kind == "fish" { format!("-l {option}") } else { format!("--{option}") };
                assert!(has_word(&generated, &written), "{name}: {kind} lacks {written}");
            }
        }
    }
}

#[test]
fn a_script_completes_the_program_that_wrote_it() {
    for (name, program, _) in PROGRAMS {
        assert!(generated(program, "bash").trim_end().ends_with(&format!("default {name}\nfi")), "{name}");
        assert!(generated(program, "zsh").starts_with(&format!("#compdef {name}\n")), "{name}");
        assert!(generated(program, "fish").contains(&format!("complete -c {name} ")), "{name}");
    }
}

#[test]
fn bash_reads_its_completions() {
    let home = tempfile::tempdir().unwrap();
    for (name, program, _) in PROGRAMS {
        let script = home.path().join(name);
        fs::write(&script, generated(program, "bash")).unwrap();
        let read = run(Command::new("bash").args(["-n", text(&script)]), "").with_code(0);
        assert_eq!(read.stderr, "", "{name}");
    }
}

#[test]
fn a_manual_page_is_one_and_has_the_exit_codes() {
    for (name, program, _) in PROGRAMS {
        let page = generated(program, "man");
        assert!(page.starts_with(".ie") || page.starts_with(".TH"), "{name}: {page}");
        assert!(page.contains(&format!("\n.TH {name} 1 ")), "{name}: {page}");
        let page = page.replace("\\-", "-");
        let help = run(&mut program(&["--help"]), "").with_code(0).stdout;
        let (_, codes) = help.split_once("Exit codes").unwrap();
        assert!(codes.lines().count() > 3, "{name}: {help}");
        for line in codes.lines().skip(1) {
            assert!(page.contains(&format!("\n{line}\n")), "{name}: {line}: {page}");
        }
    }
}

#[test]
fn it_stands_alone() {
    for arguments in [
        (console as fn(&[&str]) -> Command, &["--generate", "man", "--dev"][..]),
        (keys, &["--generate", "man", "--dev"]),
        (configure, &["--generate", "man", "-m"]),
        (hsmd, &["--generate", "man", "run", "/tmp"]),
        (hsmd, &["--log-format", "json", "--generate", "man"]),
        (hsmd, &["--generate", "nonsense"]),
        (hsmd, &[]),
        (hsmd, &["--log-format", "json"]),
    ] {
        let (program, arguments) = arguments;
        assert_eq!(run(&mut program(arguments), "").with_code(2).stdout, "", "{arguments:?}");
    }
}

fn generated(program: fn(&[&str]) -> Command, kind: &str) -> String {
    let ended = run(&mut program(&["--generate", kind]), "").with_code(0);
    assert_eq!(ended.stderr, "");
    ended.stdout
}

fn long_options(program: fn(&[&str]) -> Command, words: &[&str]) -> Vec<String> {
    let help = run(program(words).arg("--help"), "").with_code(0).stdout;
    let (_, options) = help.split_once("\nOptions:\n").unwrap();
    let declared = options.lines().filter_map(|line| {
        let words = line.trim_start();
        let long = if words.starts_with("--") { words } else { words.split_once(", ")?.1 };
        (words.starts_with('-') && long.starts_with("--")).then_some(&long[2..])
    });
    declared.map(|long| long.split([' ', '[', '=']).next().unwrap().to_owned()).collect()
}

/// Whether it is there, and no longer option that begins the same.
fn has_word(text: &str, word: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '-');
    text.match_indices(word).any(|(at, _)| ends(&text[at + word.len()..]))
}
