//! The CloudHSM management console, and the software HSM that it manages.
//!
//! # Layout
//!
//! Six nouns, a folder each; arrows go one way.
//!
//! ```text
//!  bin/configure ─────────────── configure ────┐
//!  bin/cloudhsm_mgmt_util ─ shell ── cmu ── cluster ── wire ──┐
//!  bin/key_mgmt_util ─────────┘└──── kmu ──────┘              ├── protocol
//!                      console ───────┘                       │
//!       signing ── cmu, kmu and bin use it ───────────────────┤
//!  bin/hsmd ── hsmd (accept, session, engine, store) ── wire ─┤
//!                └── hsm (pure) ──────────────────────────────┘
//! ```
//!
//! * [`protocol`]: an *operation* is one thing a client may ask an HSM, tied by type to its one kind of reply.
//! * [`wire`]: a *link* is one server's TLS connection with no call under way; and whom to trust on it.
//! * [`cluster`]: the configured servers, in order: asks all at once, returns one answer for each, always.
//! * [`cmu`]: a *command* is one thing a person may type, one file each in `commands`. [`kmu`]: those of the tool
//!   that makes keys. [`shell`] runs both, line by line.
//! * [`command`]: how both tools read a line. What a command takes is declared once, and all else reads that.
//! * [`console`]: where lines come from and text goes.
//! * [`hsm`]: the HSM as a value: `decide` says, `apply` changes. [`hsmd`] gives it a store, a clock and a network.
//!
//! * [`config`]: the configuration files, as read. [`configure`] writes them. [`files`]: how files are read.
//! * [`signing`]: what officers sign outside the console, and the files that carry it.
//! * [`transcript`]: sessions as texts that are script and expectation in one.
//!
//! [`dev`] runs HSMs inside the console, for development. [`generate`] makes completions and manual pages of the
//! programs' command lines. [`waiting`] tells how long a command takes, and [`interrupt`] ends it.
//!
//! A change is made by every server or by none: [`cluster`] tells how.

pub mod cluster;
pub mod cmu;
pub mod command;
pub mod config;
pub mod configure;
pub mod console;
pub mod dev;
pub mod files;
pub mod generate;
pub mod hsm;
pub mod hsmd;
pub mod interrupt;
pub mod kmu;
pub mod outcome;
pub mod protocol;
pub mod shell;
pub mod signing;
pub mod transcript;
pub mod waiting;
pub mod wire;
