//! The console's commands: one file each, one line each in [`COMMANDS`].
//!
//! A command says what it is called, what it takes and what it does ([`Command`]); help, masking of secrets,
//! abbreviations and usage errors only read that. Most are one operation on every server in scope: `read`
//! shows what each server answers, `report` may write it to a file, `change` rehearses and performs. A command that
//! stops early returns why as a [`Stop`], which [`Session::run`] prints.

mod attribute;
mod caution;
mod change;
mod command;
mod commands;
mod complete;
mod credentials;
mod data;
mod failure;
mod hint;
mod known;
mod lookup;
mod mask;
mod output_file;
mod password;
mod read;
mod record;
mod report;
mod second_factor;
mod service;
mod session;
mod slots;
mod stop;
mod sync;
mod tally;
mod words;

pub use crate::outcome::Outcome;
pub use command::{Action, Command, Group, Usage};
pub use commands::COMMANDS;
pub use commands::enable_e2e::{limited_lines, trusted_lines};
pub use commands::help::{help, who};
pub use complete::complete;
pub use hint::hint;
pub use known::Known;
pub use lookup::{Unknown, find};
pub use mask::{is_public, mask, recall};
pub use session::{Caution, Session};
pub use stop::{CommandError, Stop};
pub use tally::{Keeps, Row, Tally};
pub use words::Words;
