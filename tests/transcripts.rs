//! Plays every story in `tests/transcripts` on a real cluster, and compares what the console prints.
//!
//! A story is script and expectation in one: what stands behind a prompt or a question is typed there. Its first
//! line says what it shows, `#` begins prose, `#!` a stage direction ([`stage`]). In an expected line `[..]` stands
//! for anything, as values of keys are random, and `[=hash]` for the same at each place of a story; a line `[caution]`
//! stands for the banner before a change. `TRANSCRIPTS=overwrite` writes what was printed into the file, and keeps
//! these where they still fit.

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

use std::fs;
use std::path::Path;

use cloudhsm::transcript::{diff, with_wildcards};
use libtest_mimic::{Arguments, Failed, Trial};

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
    Err(diff(&expected, &printed, "story").into())
}
