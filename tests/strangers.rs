//! What somebody who can only open connections can do to a running `hsmd`, and what must hold nevertheless.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "a test fails by panicking, prints its figures, and uses a part of what other tests need"
)]

#[path = "binaries/cluster.rs"]
mod cluster;
#[path = "binaries/process.rs"]
mod process;

#[path = "strangers/client.rs"]
mod client;
#[path = "strangers/connections.rs"]
mod connections;
#[path = "strangers/files.rs"]
mod files;
#[path = "strangers/knocking.rs"]
mod knocking;
#[path = "strangers/memory.rs"]
mod memory;
#[path = "strangers/passwords.rs"]
mod passwords;
