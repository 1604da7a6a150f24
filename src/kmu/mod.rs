//! The commands of `key_mgmt_util`: one file each, one line each in [`COMMANDS`].
//!
//! A command says what it is called, what it takes and what it does ([`Command`]); help, usage errors and the
//! masking of passwords only read that. [`Flags`] reads `-flag value` by the command's table of options, `frame`
//! has the lines that all output is made of, and `create` tells how a key gets to every HSM.

mod code;
mod command;
mod commands;
mod complete;
mod create;
mod flags;
mod frame;
mod hex;
mod hint;
mod lookup;
mod mask;
mod run;
mod session;
mod single;
mod start;
mod stop;
mod template;

pub use code::{Code, State};
pub use command::{Action, Command, Need, Opt, Section};
pub use commands::COMMANDS;
pub use commands::help::page;
pub use complete::complete;
pub use flags::{Flags, Usage};
pub use hint::hint;
pub use lookup::find;
pub use mask::{is_public, mask, recall};
pub use run::run_line;
pub use session::{Answers, Logins, Session};
pub use single::{Single, SingleError};
pub use start::{list_commands, start_up};
pub use stop::{Printed, Stop};
