//! The console's commands: one file each, one line each in [`COMMANDS`].
//!
//! A command says what it is called, what it takes and what it does ([`Command`]); help, Tab, redaction
//! of secrets and usage errors only read that. Most are one operation on every server in scope: `read`
//! shows what each server answers, `report` may write it to a file, `change` rehearses and performs. A command that
//! stops early returns why as a [`Stop`], which [`Session::run`] prints.

mod arguments;
mod attribute;
mod caution;
mod change;
mod command;
mod commands;
mod compare;
mod credentials;
mod data;
mod failure;
mod password;
mod read;
mod record;
mod report;
mod second_factor;
mod session;
mod stop;
mod sync;
mod tally;
mod transfer;

pub use crate::outcome::Outcome;
pub use command::{Action, Command};
pub use commands::COMMANDS;
pub use commands::enable_e2e::{limited_lines, trusted_lines};
pub use commands::help::{demands, help, page};
pub use session::{Caution, Session};
pub use stop::{CommandError, Stop};
pub use tally::{Keeps, Row, Tally};
