//! A cluster of real processes under load, with strangers at the door and faults all the time; at the end, everything
//! that was acknowledged must be there.
//!
//! ```sh
//! cargo test --test soak                                          # some 20 seconds, a small cluster
//! cargo test --release --test soak -- --seconds 600 --seed 7      # from 300 seconds on, as full as HSMs can be
//! ```
//!
//! The seed chooses commands and faults. When they meet is up to the machine, so a second run with the same seed makes
//! the same attempts, not the same history.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    unreachable_pub,
    reason = "a test fails by panicking, prints its figures, and uses a part of what other tests need"
)]

#[path = "../strangers/client.rs"]
mod client;
#[path = "../binaries/cluster.rs"]
mod cluster;
#[path = "../binaries/process.rs"]
mod process;

mod desk;
mod dice;
mod faults;
mod figures;
mod keeper;
mod keysmiths;
mod model;
mod nodes;
mod officers;
mod play;
mod setup;
mod strangers;
mod verify;
mod worker;
mod world;

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use clap::Parser;
use libtest_mimic::Trial;

use world::Scale;

#[derive(Parser)]
struct Soak {
    /// How long to disturb the cluster; making and verifying it comes on top. From 300 on, the HSMs are full.
    #[arg(long, default_value_t = 12)]
    seconds: u64,
    /// Chooses commands and faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    usual: libtest_mimic::Arguments,
}

fn main() {
    let Soak { seconds, seed, usual } = Soak::parse();
    if !usual.list {
        enter_namespace();
    }
    let time = Duration::from_secs(seconds);
    let soak = move || Ok(play::soak(seed, time, Scale::of(time))?);
    libtest_mimic::run(&usual, vec![Trial::test("soak", soak)]).exit();
}

/// Says that the program has been started in its namespace.
const INSIDE: &str = "SOAK_NAMESPACE";

/// Starts the program again where it may mount a small disk, which is gone with the program. Where that is not allowed,
/// as in some containers, it goes on without.
fn enter_namespace() {
    let namespace = ["--user", "--map-root-user", "--mount"];
    if env::var_os(INSIDE).is_some() || !nodes::run(Command::new("unshare").args(namespace).arg("true")) {
        return;
    }
    let program = env::current_exe().unwrap();
    let error = Command::new("unshare")
        .args(namespace)
        .arg(program)
        .args(env::args_os().skip(1))
        .env(INSIDE, "")
        .exec();
    eprintln!("unshare: {error}");
}
