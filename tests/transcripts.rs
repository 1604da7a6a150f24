//! Plays every story in `tests/transcripts` on a real cluster, and compares what the console prints.
//!
//! A story is script and expectation in one: what stands behind a prompt or a question is typed there. Its first
//! line says what it shows, `#` begins prose, `#!` a stage direction ([`stage`]). In an expected line `[..]` stands
//! for anything, as values of keys are random, and `[=hash]` for the same at each place of a story. `TRANSCRIPTS=overwrite` writes what was printed into the file, and
//! keeps lines with `[..]` that still fit.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod common;
#[path = "transcripts/keys.rs"]
mod keys;
#[path = "transcripts/officers.rs"]
mod officers;
#[path = "transcripts/play.rs"]
mod play;
#[path = "transcripts/stage.rs"]
mod stage;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use similar::{DiffOp, TextDiff};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut trials = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            trials.push(Trial::test(name, move || story(&path)));
        }
    }
    trials.push(Trial::test("wildcards_stand_for_anything_within_a_line", || {
        wildcards();
        Ok(())
    }));
    trials.sort_by(|left, right| left.name().cmp(right.name()));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn story(path: &Path) -> Result<(), Failed> {
    let expected = fs::read_to_string(path)?;
    let printed = with_wildcards(&expected, &play::play(&expected));
    if std::env::var("TRANSCRIPTS").is_ok_and(|value| value == "overwrite") {
        return Ok(fs::write(path, printed)?);
    }
    if printed == expected {
        return Ok(());
    }
    let diff = TextDiff::from_lines(&expected, &printed);
    Err(diff.unified_diff().header("expected", "printed").to_string().into())
}

fn wildcards() {
    for (pattern, line, fits) in [
        ("0x[..]\n", "0x1a4b31\n", true),
        ("0x[..]\n", "1a4b31\n", false),
        ("a[..]b[..]c\n", "a1b2b3c\n", true),
        ("a[..]c\n", "a1b\n", false),
        ("[..]\n", "\n", true),
    ] {
        assert_eq!(matches(pattern, line), fits, "{pattern:?} {line:?}");
    }
    let expected = "same\n0x[..]\nend\n";
    assert_eq!(with_wildcards(expected, "same\n0xab\nend\n"), expected);
    assert_eq!(with_wildcards(expected, "same\nmore\n0xab\nend\n"), "same\nmore\n0x[..]\nend\n");
    assert_eq!(with_wildcards(expected, "same\nab\nend\n"), "same\nab\nend\n");
    let expected = "a\n0x[=k]\nb\n0x[=k]\n";
    assert_eq!(with_wildcards(expected, "a\n0x12\nb\n0x12\n"), expected);
    assert_eq!(with_wildcards(expected, "a\n0x12\nb\n0x13\n"), "a\n0x[=k]\nb\n0x13\n");
}

/// What was printed, with the expected line in place of each line that it matches.
fn with_wildcards(expected: &str, printed: &str) -> String {
    let diff = TextDiff::from_lines(expected, printed);
    let (old, new) = (diff.old_slices(), diff.new_slices());
    let (mut text, mut values) = (String::new(), HashMap::new());
    for op in diff.ops() {
        let DiffOp::Replace { old_index, old_len, .. } = *op else {
            text.extend(op.new_range().map(|at| new[at]));
            continue;
        };
        let mut patterns = &old[old_index..old_index + old_len];
        for line in &new[op.new_range()] {
            match patterns.iter().position(|pattern| fits(pattern, line, &mut values)) {
                Some(at) => {
                    text.push_str(patterns[at]);
                    patterns = &patterns[at + 1..];
                }
                None => text.push_str(line),
            }
        }
    }
    text
}

/// Whether a line is the pattern with the value for each name, which the first line that has it gives.
fn fits(pattern: &str, line: &str, values: &mut HashMap<String, String>) -> bool {
    let Some((start, rest)) = pattern.split_once("[=") else { return matches(pattern, line) };
    let (name, end) = rest.split_once(']').unwrap();
    let Some(value) = line.strip_prefix(start).and_then(|line| line.strip_suffix(end)) else { return false };
    values.entry(name.to_owned()).or_insert_with(|| value.to_owned()) == value
}

/// Whether a line is the pattern with something, or nothing, for each `[..]`.
fn matches(pattern: &str, line: &str) -> bool {
    let Some((start, rest)) = pattern.split_once("[..]") else { return pattern == line };
    let Some(tail) = line.strip_prefix(start) else { return false };
    (0..=tail.len()).any(|at| tail.is_char_boundary(at) && matches(rest, &tail[at..]))
}
