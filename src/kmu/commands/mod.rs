//! The commands, one file each, and the table of all.

mod aes_wrap_unwrap;
mod approve_token;
mod del_token;
mod delete_key;
mod error2_string;
mod ex_sym_key;
mod exit;
mod export_private_key;
mod export_pub_key;
mod extract_masked_object;
mod find_key;
mod find_single_key;
mod gen_dsa_key_pair;
mod gen_ecc_key_pair;
mod gen_pbe_key;
mod gen_rsa_key_pair;
mod gen_sym_key;
mod get_attribute;
mod get_cavium_priv_key;
mod get_cert;
mod get_hsm_info;
mod get_key_info;
mod get_login_failure_count;
mod get_partition_info;
mod get_token;
pub(super) mod help;
mod im_sym_key;
mod import_private_key;
mod import_pub_key;
mod insert_masked_object;
mod is_valid_key_handlefile;
mod list_attributes;
mod list_ecc_curve_ids;
mod list_tokens;
mod list_users;
mod login_hsm;
mod login_status;
mod logout_hsm;
mod set_attribute;
mod sign;
mod un_wrap_key;
mod verify;
mod wrap_key;

use super::Action;
use crate::command::{Group, Layout, Names, Table};

/// Every command, in the order of `help`. A title is printed as it stands here.
pub static COMMANDS: &Table<dyn Action> = &Table {
    groups: &[
        Group { title: "", commands: &[&exit::COMMAND, &help::COMMAND] },
        Group {
            title: "\n        Configuration and Admin Commands\n",
            commands: &[
                &get_hsm_info::COMMAND,
                &get_partition_info::COMMAND,
                &list_users::COMMAND,
                &login_status::COMMAND,
                &login_hsm::COMMAND,
                &logout_hsm::COMMAND,
                &get_login_failure_count::COMMAND,
            ],
        },
        Group {
            title: "\n        M of N commands\n",
            commands: &[
                &get_token::COMMAND,
                &del_token::COMMAND,
                &approve_token::COMMAND,
                &list_tokens::COMMAND,
            ],
        },
        Group {
            title: "\n        Key Generation Commands\n\n        Asymmetric Keys:\n",
            commands: &[&gen_rsa_key_pair::COMMAND, &gen_dsa_key_pair::COMMAND, &gen_ecc_key_pair::COMMAND],
        },
        Group {
            title: "\n        Symmetric Keys:\n",
            commands: &[&gen_pbe_key::COMMAND, &gen_sym_key::COMMAND],
        },
        Group {
            title: "\n        Key Import/Export Commands\n",
            commands: &[
                &import_pub_key::COMMAND,
                &export_pub_key::COMMAND,
                &import_private_key::COMMAND,
                &export_private_key::COMMAND,
                &im_sym_key::COMMAND,
                &ex_sym_key::COMMAND,
                &wrap_key::COMMAND,
                &un_wrap_key::COMMAND,
            ],
        },
        Group {
            title: "\n        Key Management Commands\n",
            commands: &[
                &delete_key::COMMAND,
                &set_attribute::COMMAND,
                &get_key_info::COMMAND,
                &find_key::COMMAND,
                &find_single_key::COMMAND,
                &get_attribute::COMMAND,
            ],
        },
        Group { title: "\n        Certificate Setup Commands\n", commands: &[&get_cert::COMMAND] },
        Group {
            title: "\n        Key Transfer Commands\n",
            commands: &[&insert_masked_object::COMMAND, &extract_masked_object::COMMAND],
        },
        Group {
            title: "\n        Management Crypto Commands\n",
            commands: &[&sign::COMMAND, &verify::COMMAND, &aes_wrap_unwrap::COMMAND],
        },
        Group {
            title: "\n        Helper Commands\n",
            commands: &[
                &error2_string::COMMAND,
                &get_cavium_priv_key::COMMAND,
                &is_valid_key_handlefile::COMMAND,
                &list_attributes::COMMAND,
                &list_ecc_curve_ids::COMMAND,
            ],
        },
    ],
    help: &help::COMMAND,
    names: Names::Exact(&[
        ("rsaGenKeyPair", "genRSAKeyPair"),
        ("dsaGenKeyPair", "genDSAKeyPair"),
        ("getPrivKeyfile", "getCaviumPrivKey"),
        ("login", "loginHSM"),
        ("quit", "exit"),
    ]),
    layout: Layout::ByFlag,
};
