//! The console's commands: one file each, one line each in [`COMMANDS`].
//!
//! A command says what it is called, what it takes and what it does ([`Command`]); help, masking of secrets,
//! abbreviations and usage errors only read that. Most are one operation on every server in scope: `read`
//! shows what each server answers, `report` may write it to a file, `change` rehearses and performs.

mod approve_token;
mod attribute;
mod caution;
mod change;
mod change_pswd;
mod command;
mod complete;
mod create_user;
mod credentials;
mod data;
mod del_token;
mod delete_user;
mod enable_e2e;
mod exit;
mod failure;
mod find_all_keys;
mod get_attribute;
mod get_cert;
mod get_cluster_info;
mod get_hsm_info;
mod get_key_info;
mod get_m_value;
mod get_token;
mod help;
mod hint;
mod info;
mod known;
mod list_attributes;
mod list_tokens;
mod list_users;
mod login_hsm;
mod logout_hsm;
mod lookup;
mod mask;
mod output_file;
mod password;
mod quit;
mod read;
mod record;
mod register_quorum_pub_key;
mod report;
mod second_factor;
mod server;
mod service;
mod session;
mod set_attribute;
mod set_m_value;
mod share_key;
mod slots;
mod sync;
mod sync_key;
mod sync_user;
mod tally;
mod words;

pub use crate::outcome::Outcome;
pub use command::{Action, Command, Group, Usage};
pub use complete::complete;
pub use enable_e2e::{print_limited, print_trusted};
pub use help::help;
pub use hint::hint;
pub use known::Known;
pub use lookup::{Unknown, find};
pub use mask::{is_public, mask, recall};
pub use session::{Caution, Session};
pub use tally::{Keeps, Row, Tally};
pub use words::Words;

/// Every command, in the order of `help`.
pub static COMMANDS: &[&Command] = &[
    &approve_token::COMMAND,
    &change_pswd::COMMAND,
    &create_user::COMMAND,
    &delete_user::COMMAND,
    &del_token::COMMAND,
    &enable_e2e::COMMAND,
    &exit::COMMAND,
    &find_all_keys::COMMAND,
    &get_attribute::COMMAND,
    &get_cert::COMMAND,
    &get_cluster_info::COMMAND,
    &get_hsm_info::COMMAND,
    &get_key_info::COMMAND,
    &get_m_value::COMMAND,
    &get_token::COMMAND,
    &help::COMMAND,
    &info::COMMAND,
    &list_attributes::COMMAND,
    &list_tokens::COMMAND,
    &list_users::COMMAND,
    &login_hsm::COMMAND,
    &logout_hsm::COMMAND,
    &quit::COMMAND,
    &register_quorum_pub_key::COMMAND,
    &server::COMMAND,
    &set_attribute::COMMAND,
    &set_m_value::COMMAND,
    &share_key::COMMAND,
    &sync_key::COMMAND,
    &sync_user::COMMAND,
];
