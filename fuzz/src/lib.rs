//! Input from outside, and what must hold whatever it is: one module per target.
//!
//! `tests/fuzz.rs` of the main package includes this file, and runs every seed through it.

pub mod certificates;
pub mod configuration;
pub mod hsm;
pub mod lines;
pub mod masked;
pub mod pem;
pub mod signing;
pub mod transcripts;
pub mod wire;
pub mod wrapped;

use std::cell::OnceCell;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

/// Takes any bytes, and panics if something that must hold does not.
pub type Target = fn(&[u8]);

/// Every target, with the folder of its seeds.
pub const TARGETS: &[(&str, Target)] = &[
    ("certificates", certificates::run),
    ("configuration", configuration::run),
    ("hsm", hsm::run),
    ("lines", lines::run),
    ("masked", masked::run),
    ("pem", pem::run),
    ("signing", signing::run),
    ("transcripts", transcripts::run),
    ("wire", wire::run),
    ("wrapped", wrapped::run),
];

/// Writes a file for code that takes a path, over an earlier one of the same name.
fn file(name: &str, content: &[u8]) -> PathBuf {
    thread_local! {
        static FOLDER: OnceCell<TempDir> = const { OnceCell::new() };
    }
    FOLDER.with(|folder| {
        let path = folder.get_or_init(|| tempfile::tempdir().unwrap()).path().join(name);
        fs::write(&path, content).unwrap();
        path
    })
}
