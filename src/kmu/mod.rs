//! The commands of `key_mgmt_util`: one file each, one line each in [`COMMANDS`].
//!
//! A command says what it is called, what it takes and what it does ([`Command`]); help, Tab, redaction of secrets and
//! usage errors only read that. `frame` has the lines that all output is made of, and `create` tells how a key gets to
//! every HSM.

mod attest;
mod code;
mod command;
mod commands;
mod create;
mod curves;
mod fake_pem;
mod frame;
pub mod pem;
mod run;
mod session;
mod signing;
mod single;
mod spread;
mod start;
mod stop;
mod template;
mod transport;
mod wrapping;

pub use code::{Code, State};
pub use command::{Action, Command};
pub use commands::COMMANDS;
pub use commands::help::{list, page};
pub use run::run_line;
pub use session::{Answers, Build, Logins, Session};
pub use single::{Single, SingleError};
pub use start::{list_commands, start_up};
pub use stop::{Printed, Stop};
