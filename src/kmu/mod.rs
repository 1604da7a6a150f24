//! The commands of `key_mgmt_util`: one file each, one line each in [`COMMANDS`].
//!
//! A command says what it is called, what it takes and what it does ([`Command`]); help, usage errors and the
//! masking of passwords only read that. [`Flags`] reads `-flag value` by the command's table of options, `frame`
//! has the lines that all output is made of, and `create` tells how a key gets to every HSM.

mod approve_token;
mod code;
mod command;
mod complete;
mod create;
mod del_token;
mod delete_key;
mod error2_string;
mod exit;
mod extract_masked_object;
mod find_key;
mod find_single_key;
mod flags;
mod frame;
mod gen_ecc_key_pair;
mod gen_rsa_key_pair;
mod gen_sym_key;
mod get_attribute;
mod get_key_info;
mod get_token;
mod help;
mod hex;
mod hint;
mod insert_masked_object;
mod list_attributes;
mod list_tokens;
mod list_users;
mod login_hsm;
mod logout_hsm;
mod lookup;
mod mask;
mod run;
mod session;
mod set_attribute;
mod sign;
mod single;
mod start;
mod template;

pub use code::{Code, State};
pub use command::{Action, Command, Need, Opt, Section};
pub use complete::complete;
pub use flags::{Flags, Usage};
pub use hint::hint;
pub use lookup::find;
pub use mask::{is_public, mask, recall};
pub use run::run_line;
pub use session::{Answers, Logins, Session};
pub use single::{Single, SingleError};
pub use start::{list_commands, start_up};

/// Every command, in the order in which `help` lists those of a section.
pub static COMMANDS: &[&Command] = &[
    &exit::COMMAND,
    &help::COMMAND,
    &list_users::COMMAND,
    &login_hsm::COMMAND,
    &logout_hsm::COMMAND,
    &get_token::COMMAND,
    &del_token::COMMAND,
    &approve_token::COMMAND,
    &list_tokens::COMMAND,
    &gen_rsa_key_pair::COMMAND,
    &gen_ecc_key_pair::COMMAND,
    &gen_sym_key::COMMAND,
    &delete_key::COMMAND,
    &set_attribute::COMMAND,
    &get_key_info::COMMAND,
    &find_key::COMMAND,
    &find_single_key::COMMAND,
    &get_attribute::COMMAND,
    &insert_masked_object::COMMAND,
    &extract_masked_object::COMMAND,
    &sign::COMMAND,
    &error2_string::COMMAND,
    &list_attributes::COMMAND,
];
