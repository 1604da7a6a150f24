//! Holds the layering and the writing rules, so that neither needs a document.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

#[path = "tidy/paths.rs"]
mod paths;
#[path = "tidy/rooms.rs"]
mod rooms;

use std::fs;
use std::path::{Path, PathBuf};

use cloudhsm::cmu::COMMANDS;
use cloudhsm::kmu;
use paths::{begins_with, paths};

/// What only one place of a folder uses: a broken path reads the same in every command.
const PLACES: [(&str, &[&str], &str); 2] = [
    ("rustyline", &["src"], "src/console/terminal"),
    ("crate::files::write", &["src/cmu", "src/common"], "src/common/output_file.rs"),
];

#[test]
fn the_line_editor_and_files_are_used_in_one_place() {
    for (what, folders, place) in PLACES {
        let uses =
            |(path, text): &(PathBuf, String)| paths(path, text).iter().any(|path| begins_with(path, what));
        let users: Vec<_> =
            folders.iter().copied().flat_map(sources).filter(uses).map(|(path, _)| path).collect();
        assert!(!users.is_empty() && users.iter().all(|path| path.starts_with(place)), "{what}: {users:?}");
    }
}

/// Clippy forbids `println!` and the like.
#[test]
fn only_consoles_and_programs_write_to_standard_streams() {
    for (path, text) in sources("src") {
        let may = path.starts_with("src/console") || path.starts_with("src/bin");
        let mut code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let writes = code.any(|line| line.contains("stdout()") || line.contains("stderr()"));
        assert!(may || !writes, "{}", path.display());
    }
}

/// Clippy counts the lines of functions.
#[test]
fn files_are_short() {
    let all =
        ["src", "tests", "benches", "examples", "fuzz/src", "fuzz/targets"].into_iter().flat_map(sources);
    let long = all.filter(|(_, text)| text.lines().count() > 400).map(|(path, _)| path);
    assert_eq!(long.collect::<Vec<_>>(), Vec::<PathBuf>::new(), "over 400 lines");
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
        // The list of commands is as long as it is, and so is the page of a command with many options.
        let limit = match &text {
            text if text.contains("\nHelp Commands Available:\n") => 120,
            text if text.contains("\nDescription\n===========\n") => 80,
            _ => 60,
        };
        assert!(text.lines().count() <= limit, "{}: {} lines", path.display(), text.lines().count());
    }
}

/// The others have the shorthand.
#[test]
fn one_transcript_spells_the_banner_out() {
    let spelled: Vec<_> = transcripts().into_iter().filter(|(_, text)| text.contains("CAUTION")).collect();
    let names: Vec<_> = spelled.iter().map(|(path, _)| path.file_name().unwrap()).collect();
    assert_eq!(names, ["caution.txt"], "write [caution]");
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
