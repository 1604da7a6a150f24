//! The commands, one file each, and the table of all.

mod approve_token;
mod del_token;
mod delete_key;
mod error2_string;
mod exit;
mod extract_masked_object;
mod find_key;
mod find_single_key;
mod gen_ecc_key_pair;
mod gen_rsa_key_pair;
mod gen_sym_key;
mod get_attribute;
mod get_key_info;
mod get_token;
pub(super) mod help;
mod insert_masked_object;
mod list_attributes;
mod list_tokens;
mod list_users;
mod login_hsm;
mod logout_hsm;
mod set_attribute;
mod sign;

use super::Command;

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
