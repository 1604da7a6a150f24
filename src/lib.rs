//! The CloudHSM management console, and the software HSM that it manages.
//!
//! # Layout
//!
//! Six nouns, a folder each; arrows go one way.
//!
//! ```text
//!  bin/cloudhsm_client ───────────────────────┐
//!  bin/configure ─────────────── configure ────┤
//!  bin/cloudhsm_mgmt_util ─ shell ── cmu ── cluster ── wire ──┐
//!  bin/key_mgmt_util ─────────┘└──── kmu ──────┘              ├── protocol
//!                 command, console ───┘                       │
//!       signing ── cmu, kmu and bin use it ───────────────────┤
//!  bin/hsmd ── hsmd (making, serving, watching, keeping) wire ┤
//!      └ service ┘└── hsm (pure) ─────────────────────────────┘
//! ```
//!
//! * [`protocol`]: an *operation* is one thing a client may ask an HSM, tied by type to its one kind of reply.
//! * [`wire`]: a *link* is one server's TLS connection with no call under way; and whom to trust on it.
//! * [`cluster`]: the configured servers, in order: asks all at once, returns one answer for each, always. A change is
//!   made by every server or by none: [`Cluster::change`](cluster::Cluster::change) rehearses it on all before any
//!   performs it.
//! * [`cmu`]: a *command* is one thing a person may type, one file each in its folder `commands`. [`kmu`] has those of
//!   the tool that makes keys. [`command`] is how both read a line: what a command takes is declared once, and syntax,
//!   help, completion and redaction read that. [`shell`] runs both, line by line.
//! * [`console`]: where lines come from and text goes.
//! * [`hsm`]: the HSM as a value: `decide` says, `apply` changes. [`hsmd`] gives it a store, a clock and a network.
//! * [`service`]: the AWS account around HSMs: CloudHSM's control plane, which makes, runs and backs up real HSMs.
//!
//! Beside them: [`config`] reads the configuration files, [`configure`] writes them, and [`files`] reads and checks all
//! other files that people name. [`signing`] has what officers sign outside the console, [`transcript`] sessions that are
//! script and expectation in one. [`dev`] runs HSMs inside the console, for development, and [`generate`] makes completions
//! and manual pages. [`crypto`] has the cryptography that HSMs and tools have in common, and `common` what the commands
//! of both tools share. [`foreign`] keeps text of others from controlling a terminal. Small words that several rooms
//! share: [`outcome`], how a command ended; [`waiting`], how long it takes; [`interrupt`], which ends it.

pub mod cluster;
pub mod cmu;
pub mod command;
mod common;
pub mod config;
pub mod configure;
pub mod console;
pub mod crypto;
pub mod dev;
pub mod files;
pub mod foreign;
pub mod generate;
pub mod hsm;
pub mod hsmd;
pub mod interrupt;
pub mod kmu;
pub mod outcome;
pub mod protocol;
pub mod service;
pub mod shell;
pub mod signing;
pub mod transcript;
pub mod waiting;
pub mod wire;
