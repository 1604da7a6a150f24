//! The commands, one file each, and the table of all.

mod approve_token;
mod change_pswd;
mod close_sessions;
mod compare_hsm;
mod create_user;
mod del_token;
mod delete_user;
pub(super) mod enable_e2e;
mod exit;
mod find_all_keys;
mod get_attribute;
mod get_cert;
mod get_cluster_info;
mod get_hsm_info;
mod get_key_info;
mod get_m_value;
mod get_token;
pub(super) mod help;
mod info;
mod list_attributes;
mod list_tokens;
mod list_users;
mod login_hsm;
mod logout_hsm;
mod quit;
mod register_quorum_pub_key;
mod server;
mod set_attribute;
mod set_m_value;
mod share_key;
mod sync_hsm;
mod sync_key;
mod sync_user;

use super::Action;
use crate::command::{Group, Layout, Names, Table};

/// Every command, in the order of `help`.
pub static COMMANDS: &Table<dyn Action> = &Table {
    groups: &[
        Group {
            title: "Users",
            commands: &[
                &change_pswd::COMMAND,
                &close_sessions::COMMAND,
                &create_user::COMMAND,
                &delete_user::COMMAND,
                &list_users::COMMAND,
                &login_hsm::COMMAND,
                &logout_hsm::COMMAND,
                &sync_user::COMMAND,
            ],
        },
        Group {
            title: "Keys",
            commands: &[
                &find_all_keys::COMMAND,
                &get_attribute::COMMAND,
                &get_key_info::COMMAND,
                &list_attributes::COMMAND,
                &set_attribute::COMMAND,
                &share_key::COMMAND,
                &sync_key::COMMAND,
            ],
        },
        Group {
            title: "Approvals",
            commands: &[
                &approve_token::COMMAND,
                &del_token::COMMAND,
                &get_m_value::COMMAND,
                &get_token::COMMAND,
                &list_tokens::COMMAND,
                &register_quorum_pub_key::COMMAND,
                &set_m_value::COMMAND,
            ],
        },
        Group {
            title: "HSMs",
            commands: &[
                &compare_hsm::COMMAND,
                &enable_e2e::COMMAND,
                &get_cert::COMMAND,
                &get_cluster_info::COMMAND,
                &get_hsm_info::COMMAND,
                &info::COMMAND,
                &sync_hsm::COMMAND,
            ],
        },
        Group {
            title: "Console",
            commands: &[&exit::COMMAND, &help::COMMAND, &quit::COMMAND, &server::COMMAND],
        },
    ],
    help: &help::COMMAND,
    names: Names::Prefix,
    layout: Layout::InOrder,
};
