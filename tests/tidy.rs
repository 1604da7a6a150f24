//! Holds the layering and the writing rules, so that neither needs a document.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use cloudhsm::cmu::COMMANDS;
use cloudhsm::kmu;

/// What a folder must not know, by the words that would give it away.
const BANS: &[(&str, &[&str])] = &[
    ("protocol", &["tokio", "rustls", "std::fs", "std::net", "std::time", "crate::hsm", "crate::wire"]),
    ("hsm", &["tokio", "rustls", "std::fs", "std::net", "std::time", "rand", "crate::wire", "crate::hsmd"]),
    ("wire", &["crate::cluster", "crate::cmu", "crate::kmu", "crate::console", "crate::hsm", "crate::shell"]),
    ("cluster", &["crate::cmu", "crate::kmu", "crate::console", "crate::hsm", "crate::shell"]),
    ("console", &["crate::cluster", "crate::cmu", "crate::kmu", "crate::hsm", "crate::shell", "crate::wire"]),
    (
        "command",
        &[
            "tokio",
            "rustls",
            "std::fs",
            "crate::hsm",
            "crate::cluster",
            "crate::cmu",
            "crate::kmu",
            "crate::shell",
        ],
    ),
    ("cmu", &["rustls", "wire::frame", "wire::link", "crate::hsm", "crate::kmu", "std::io", "rustyline"]),
    (
        "kmu",
        &["rustls", "crate::wire", "crate::hsm", "crate::hsmd", "crate::cmu", "crate::shell", "rustyline"],
    ),
    (
        "signing",
        &["tokio", "rustls", "crate::hsm", "crate::wire", "crate::cluster", "crate::cmu", "crate::console"],
    ),
    (
        "configure",
        &["tokio", "rustls", "crate::hsm", "crate::hsmd", "crate::cmu", "crate::kmu", "crate::console"],
    ),
    ("shell", &["rustls", "crate::wire", "crate::hsm", "std::io", "rustyline"]),
    (
        "hsmd",
        &["crate::cmu", "crate::kmu", "crate::console", "crate::shell", "cluster::Cluster", "cluster::Dial"],
    ),
];

/// Only consoles and programs print.
const PRINTING: [&str; 5] = ["println!", "eprintln!", "print!(", "stdout()", "stderr()"];

#[test]
fn the_layers_know_only_what_is_below_them() {
    let mut broken = Vec::new();
    for (folder, banned) in BANS {
        for (path, text) in sources(&format!("src/{folder}")) {
            let code = text.split("#[cfg(test)]").next().unwrap();
            let found = banned.iter().filter(|word| uses(code, word));
            broken.extend(found.map(|word| format!("{} uses {word}", path.display())));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn only_the_terminal_knows_the_line_editor() {
    for (path, text) in sources("src") {
        let is_terminal = path.starts_with("src/console/terminal") || path.ends_with("console/terminal.rs");
        assert!(is_terminal || !uses(&text, "rustyline::"), "{}", path.display());
    }
}

#[test]
fn only_consoles_and_programs_print() {
    for (path, text) in sources("src") {
        if path.starts_with("src/console") || path.starts_with("src/bin") {
            continue;
        }
        for word in PRINTING {
            assert!(!uses(&text, word), "{} has {word}", path.display());
        }
    }
}

/// Where commands touch files, so that a broken path is told the same way everywhere.
#[test]
fn commands_touch_files_in_one_place() {
    for (path, text) in sources("src/cmu") {
        let is_the_place = path.ends_with("output_file.rs");
        assert_eq!(uses(&text, "std::fs"), is_the_place, "{}", path.display());
    }
}

#[test]
fn files_and_functions_are_short() {
    let mut long = Vec::new();
    let all = ["src", "tests", "benches", "fuzz/src", "fuzz/targets"].into_iter().flat_map(sources);
    for (path, text) in all {
        if text.lines().count() > 400 {
            long.push(format!("{}: over 400 lines", path.display()));
        }
        long.extend(long_functions(&text).map(|name| format!("{}: {name}: over 60 lines", path.display())));
    }
    assert!(long.is_empty(), "{long:#?}");
}

/// The functions whose closing brace is more than 60 lines below.
fn long_functions(text: &str) -> impl Iterator<Item = String> {
    let lines: Vec<&str> = text.lines().collect();
    let starts = lines.iter().enumerate().filter(|(_, line)| {
        let code = line.trim_start();
        (code.starts_with("fn ") || code.contains(" fn "))
            && !code.starts_with("//")
            && !code.ends_with([';', '}'])
    });
    let mut long = Vec::new();
    for (start, line) in starts {
        let indent = line.len() - line.trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        let length = lines[start..].iter().position(|line| *line == end).unwrap_or(0);
        if length > 60 {
            long.push(line.trim().to_owned());
        }
    }
    long.into_iter()
}

#[test]
fn every_command_has_its_file_and_its_transcript() {
    let played: Vec<String> = transcripts().iter().flat_map(|(_, text)| commands_in(text)).collect();
    for command in COMMANDS.iter() {
        let file = format!("src/cmu/commands/{}.rs", snake_case(command.name));
        assert!(Path::new(&file).exists(), "{file}");
        assert!(played.iter().any(|name| name == command.name), "{} is in no transcript", command.name);
    }
}

#[test]
fn every_command_of_the_key_tool_has_its_file_and_its_transcript() {
    let lines =
        transcripts().into_iter().flat_map(|(_, text)| text.lines().map(str::to_owned).collect::<Vec<_>>());
    let played: Vec<String> =
        lines.filter_map(|line| Some(line.strip_prefix("Command:")?.trim().to_owned())).collect();
    for command in kmu::COMMANDS.iter() {
        let file = format!("src/kmu/commands/{}.rs", snake_case(command.name));
        assert!(Path::new(&file).exists(), "{file}");
        let is_played = played.iter().any(|line| line.split(' ').next() == Some(command.name));
        assert!(is_played, "{} is in no transcript", command.name);
    }
}

#[test]
fn transcripts_are_short_and_say_what_they_show() {
    for (path, text) in transcripts() {
        let title = text.lines().next().unwrap();
        assert!(title.starts_with("# ") && title.ends_with('.'), "{}: {title}", path.display());
        assert!(text.lines().count() <= 60, "{}: {} lines", path.display(), text.lines().count());
    }
}

/// The others have the shorthand.
#[test]
fn one_transcript_spells_the_banner_out() {
    let spelled: Vec<_> = transcripts().into_iter().filter(|(_, text)| text.contains("CAUTION")).collect();
    let names: Vec<_> = spelled.iter().map(|(path, _)| path.file_name().unwrap()).collect();
    assert_eq!(names, ["caution.txt"], "write [caution]");
}

#[test]
fn no_lint_is_silenced_without_a_reason() {
    for (path, text) in ["src", "tests", "benches", "fuzz/src"].into_iter().flat_map(sources) {
        let this = path.ends_with("tidy.rs");
        let code: Vec<&str> = text.split("allow(").skip(1).collect();
        let reasoned = code.iter().all(|rest| rest.split(']').next().unwrap().contains("reason ="));
        assert!(this || reasoned, "{}", path.display());
    }
}

fn commands_in(transcript: &str) -> Vec<String> {
    let typed = transcript.lines().filter_map(|line| {
        let (prompt, typed) = line.split_once('>')?;
        (prompt == "aws-cloudhsm" || prompt.strip_prefix("server")?.parse::<u32>().is_ok()).then_some(typed)
    });
    let words = typed.filter_map(|typed| typed.split_whitespace().next());
    words.filter_map(|word| COMMANDS.find(word).ok()).map(|command| command.name.to_owned()).collect()
}

/// `getHSMInfo` is in `get_hsm_info.rs`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let after_lower = at > 0 && letters[at - 1].is_lowercase();
        let before_lower = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && at > 0 && (after_lower || before_lower) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// Whether code outside comments has the word.
fn uses(text: &str, word: &str) -> bool {
    let is_word = |rest: &str| {
        let boundary = |next: char| !next.is_alphanumeric() && next != '_';
        !word.ends_with(char::is_alphanumeric) || rest.chars().next().is_none_or(boundary)
    };
    text.lines().filter(|line| !line.trim_start().starts_with("//")).any(|line| {
        line.match_indices(word).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let starts = before.is_none_or(|before| !before.is_alphanumeric() && before != '_');
            starts && is_word(&line[at + word.len()..])
        })
    })
}

fn transcripts() -> Vec<(PathBuf, String)> {
    files(Path::new("tests/transcripts"), "txt")
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let sources = files(Path::new(folder), "rs");
    assert!(!sources.is_empty(), "{folder}");
    sources
}

fn files(folder: &Path, extension: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|end| end == extension) {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}
