//! What fuzzing has taught: every seed of `fuzz/seeds` goes through its target.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test fails by panicking and says where; the targets are public for the fuzzer's programs"
)]

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::path::Path;

use targets::TARGETS;

#[test]
fn every_seed_keeps_its_targets_promise() {
    for (name, run) in TARGETS {
        let folder = Path::new("fuzz/seeds").join(name);
        let seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!seeds.is_empty(), "{name}");
        for seed in seeds {
            // The name of the one that fails stands in front of its panic.
            println!("{}", seed.display());
            run(&fs::read(&seed).unwrap());
        }
    }
}
