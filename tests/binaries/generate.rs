//! `--generate`: completion scripts and manual pages that know every option.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use cloudhsm::{cmu, kmu};

use crate::process::{client, configure, console, hsmd, keys, run, text};

/// A program's name, how it is run, and its subcommands, in the order of its help.
type Program = (&'static str, fn(&[&str]) -> Command, &'static [&'static [&'static str]]);

const PROGRAMS: [Program; 5] = [
    ("cloudhsm_mgmt_util", console, &[&[], &["sign"], &["check"], &["commands"]]),
    ("key_mgmt_util", keys, &[&[]]),
    ("configure", configure, &[&[]]),
    ("cloudhsm_client", client, &[&[]]),
    (
        "hsmd",
        hsmd,
        &[
            &[],
            &["init"],
            &["cluster", "init"],
            &["cluster", "initialize"],
            &["run"],
            &["service"],
            &["service", "backup"],
            &["backup"],
            &["check-backup"],
            &["audit"],
            &["audit", "export"],
            &["audit", "prune"],
            &["audit", "verify"],
            &["unlock"],
            &["zeroize"],
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
fn a_manual_page_is_named_after_its_program_and_has_its_version() {
    for (name, program, _) in PROGRAMS {
        let (section, title) =
            (if ["hsmd", "cloudhsm_client"].contains(&name) { 8 } else { 1 }, name.to_uppercase());
        let version = env!("CARGO_PKG_VERSION");
        let title = format!(".TH {title} {section} \"\" \"{name} {version}\"\n");
        let page = generated(program, "man");
        assert!(page.starts_with(&title), "{name}: {page}");
    }
}

#[test]
fn a_manual_page_has_the_syntax_and_summary_of_every_command_of_the_prompt() {
    let at_prompt = [cmu::COMMANDS.at_prompt(), kmu::COMMANDS.at_prompt()];
    for ((_, program, _), commands) in PROGRAMS.into_iter().zip(at_prompt) {
        let page = generated(program, "man").replace("\\*(Aq", "'").replace('\\', "");
        for (syntax, summary) in commands {
            assert!(page.contains(&format!(".TP\nfB{syntax}fR\n{summary}\n")), "{syntax}: {page}");
        }
    }
}

#[test]
fn a_manual_page_has_a_section_for_each_subcommand() {
    for (name, program, subcommands) in PROGRAMS {
        let page = generated(program, "man");
        let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
        let words = subcommands.iter().filter(|words| !words.is_empty());
        let own = words.map(|words| format!("\"{name} {}\"", words.join(" ")));
        let mut expected: Vec<String> =
            ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS"].map(str::to_owned).into();
        expected.extend(own);
        expected
            .extend(["cloudhsm_mgmt_util", "key_mgmt_util"].contains(&name).then(|| "COMMANDS".to_owned()));
        expected.extend(["NOTES", "VERSION"].map(str::to_owned));
        assert_eq!(sections, expected, "{name}");
    }
}

#[test]
fn a_manual_page_has_the_usage_and_the_notes_of_every_help() {
    for (name, program, subcommands) in PROGRAMS {
        let page = generated(program, "man");
        let unfilled = page.matches("NOTES\n.nf\n").count();
        assert_eq!(page.matches("NOTES\n").count(), unfilled, "{name}: {page}");
        let page = plain(&page);
        for words in subcommands {
            let help = run(program(words).arg("--help"), "").with_code(0).stdout;
            let (_, usage) = help.split_once("Usage: ").unwrap();
            let (_, notes) = help.rsplit_once(" Print ").unwrap();
            assert!(!words.is_empty() || notes.contains("Exit codes"), "{name}: {help}");
            for line in
                usage.lines().take_while(|line| !line.is_empty()).map(str::trim).chain(notes.lines().skip(1))
            {
                assert!(page.contains(&format!("\n{line}\n")), "{name} {words:?}: {line}: {page}");
            }
        }
    }
}

#[test]
fn a_manual_page_tells_once_what_every_subcommand_takes() {
    for (name, program, _) in PROGRAMS {
        let page = plain(&generated(program, "man"));
        for option in ["\n--log-format <", "\n--generate <", "\n-h, --help\n"] {
            let times = usize::from(name == "hsmd" || !option.contains("log"));
            assert_eq!(page.matches(option).count(), times, "{name}: {option}: {page}");
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

/// A page without its fonts.
fn plain(page: &str) -> String {
    ["\\fB", "\\fI", "\\fR"].iter().fold(page.replace("\\-", "-"), |page, font| page.replace(font, ""))
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
