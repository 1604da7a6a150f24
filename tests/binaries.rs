//! The programs as processes: `hsmd` and the console as they are installed, and what happens to both when they are
//! signalled, killed, misconfigured, or met by somebody else's certificates.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "binaries/cluster.rs"]
mod cluster;
#[path = "common/filling.rs"]
mod filling;
#[path = "binaries/process.rs"]
mod process;

#[path = "binaries/audit.rs"]
mod audit;
#[path = "binaries/backup.rs"]
mod backup;
#[path = "binaries/certificates.rs"]
mod certificates;
#[path = "binaries/check.rs"]
mod check;
#[path = "binaries/client.rs"]
mod client;
#[path = "binaries/commands.rs"]
mod commands;
#[path = "binaries/configure.rs"]
mod configure;
#[path = "binaries/copying.rs"]
mod copying;
#[path = "binaries/daemon.rs"]
mod daemon;
#[path = "binaries/dev.rs"]
mod dev;
#[path = "binaries/exit_code.rs"]
mod exit_code;
#[path = "binaries/faults.rs"]
mod faults;
#[path = "binaries/folder.rs"]
mod folder;
#[path = "binaries/following.rs"]
mod following;
#[path = "binaries/generate.rs"]
mod generate;
#[path = "binaries/interrupt.rs"]
mod interrupt;
#[path = "binaries/keys.rs"]
mod keys;
#[path = "binaries/keys_in_and_out.rs"]
mod keys_in_and_out;
#[path = "binaries/kill.rs"]
mod kill;
#[path = "binaries/lenient.rs"]
mod lenient;
#[path = "binaries/life.rs"]
mod life;
#[path = "binaries/log.rs"]
mod log;
#[path = "binaries/metrics.rs"]
mod metrics;
#[path = "binaries/notify.rs"]
mod notify;
#[path = "binaries/officers.rs"]
mod officers;
#[path = "binaries/output_files.rs"]
mod output_files;
#[path = "binaries/script.rs"]
mod script;
#[path = "binaries/signatures.rs"]
mod signatures;
#[path = "binaries/start_up.rs"]
mod start_up;
#[path = "binaries/trouble.rs"]
mod trouble;
#[path = "binaries/unlisted.rs"]
mod unlisted;
#[path = "binaries/unlock.rs"]
mod unlock;
#[path = "binaries/wrapped_keys.rs"]
mod wrapped_keys;
#[path = "binaries/zeroize.rs"]
mod zeroize;
