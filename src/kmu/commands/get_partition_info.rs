//! `getPartitionInfo`

use crate::command::Permission;
use crate::foreign::shown;
use crate::kmu::frame::{returned, status};
use crate::kmu::session::states;
use crate::kmu::stop::{Printed, ended};
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::device::{DescribePartition, PartitionDescription};

pub(super) static COMMAND: Command = Command {
    name: "getPartitionInfo",
    arguments: &[],
    summary: "Gets the Partition Information",
    description: "Shows of each HSM how many users, keys and sessions it has and can have, and its policies.",
    example: "getPartitionInfo",
    permission: Some(Permission::of::<DescribePartition>()),
    build: |_| Ok(Box::new(GetPartitionInfo)),
};

struct GetPartitionInfo;

impl Action for GetPartitionInfo {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let answers = session.perform(&session.everywhere(), DescribePartition);
        let mut text = String::new();
        for (node, partition) in &answers {
            if let Ok(partition) = partition {
                text.push_str(&format!("\n\t\t*** Node {node} Partition Info ***\n\n{}", show(partition)));
            }
        }
        let states = states(&answers);
        let code = Code::of_all(&states);
        ended(code, text + &returned("GetPartitionInfo", code) + &status(&states))
    }
}

fn show(partition: &PartitionDescription) -> String {
    let (shortest, longest) = partition.password_lengths;
    let mut text: String = [
        ("Name", shown(&partition.name).into_owned()),
        ("Node ID", partition.node_id.to_string()),
        ("MaxUsers", partition.max_users.to_string()),
        ("AvailableUsers", partition.available_users.to_string()),
        ("MaxKeys", partition.max_keys.to_string()),
        ("OccupiedTokenKeys", partition.token_keys.to_string()),
        ("OccupiedSessionKeys", partition.session_keys.to_string()),
        ("TotalSSLCtxs", partition.max_connections.to_string()),
        ("SessionCount", partition.sessions.to_string()),
        ("MaxPswdLen", longest.to_string()),
        ("MinPswdLen", shortest.to_string()),
        ("CloningMethod", partition.cloning_method.to_string()),
        ("KekMethod", partition.kek_method.to_string()),
        ("CertAuth", u8::from(partition.cert_auth).to_string()),
        ("BlockDeleteUserWithKeys", u8::from(partition.block_delete_user_with_keys).to_string()),
        ("TwoKeyBackup", u8::from(partition.two_key_backup).to_string()),
        ("Nvalue", partition.approvers.to_string()),
    ]
    .iter()
    .map(|(label, value)| field(label, value))
    .collect();
    for (service, m_value) in &partition.m_values {
        text.push_str(&field(&format!("MValue[{}]", service.number()), &m_value.to_string()));
    }
    text
}

fn field(label: &str, value: &str) -> String {
    format!("\t{label:<24}:{value}\n")
}
