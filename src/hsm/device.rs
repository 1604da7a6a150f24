//! What the HSM says of itself and its cluster.

use super::{Case, Decide, Decided, MAX_KEYS, MAX_USERS, PASSWORD_LENGTHS, Ruling};
use crate::protocol::device::{
    DescribeHsm, DescribePartition, HsmDescription, ListMembers, Member, PartitionDescription,
};

/// The memory that the original reports for token objects, in bytes.
const PUBLIC_MEMORY: u32 = 560_596;

/// The part of it that each user takes.
const USER_MEMORY: u32 = 256;

impl Decide for DescribeHsm {
    fn decide(&self, case: &Case<'_>) -> Ruling<HsmDescription> {
        let users = number(case.hsm.users.len());
        Ok(Decided::read(HsmDescription {
            serial_number: case.hsm.identity.serial_number.clone(),
            total_public_memory: PUBLIC_MEMORY,
            free_public_memory: PUBLIC_MEMORY.saturating_sub(users.saturating_mul(USER_MEMORY)),
            firmware: (version(env!("CARGO_PKG_VERSION_MAJOR")), version(env!("CARGO_PKG_VERSION_MINOR"))),
            build: version(env!("CARGO_PKG_VERSION_PATCH")),
        }))
    }
}

impl Decide for ListMembers {
    fn decide(&self, case: &Case<'_>) -> Ruling<Vec<Member>> {
        Ok(Decided::read(case.env.members.to_vec()))
    }
}

impl Decide for DescribePartition {
    fn decide(&self, case: &Case<'_>) -> Ruling<PartitionDescription> {
        let hsm = case.hsm;
        let token_keys = hsm.keys.tokens().count();
        Ok(Decided::read(PartitionDescription {
            name: hsm.identity.hsm_id.clone(),
            node_id: hsm.identity.node_id,
            max_users: number(MAX_USERS),
            available_users: number(MAX_USERS.saturating_sub(hsm.users.len())),
            max_keys: number(MAX_KEYS),
            token_keys: number(token_keys),
            session_keys: number(hsm.keys.len().saturating_sub(token_keys)),
            sessions: number(hsm.sessions.len()),
            max_connections: case.env.max_connections,
            password_lengths: (number(*PASSWORD_LENGTHS.start()), number(*PASSWORD_LENGTHS.end())),
            block_delete_user_with_keys: true,
            cert_auth: case.env.certificates.owner.is_some(),
            two_key_backup: false,
            cloning_method: 0,
            kek_method: 0,
            approvers: number(hsm.approvers()),
            m_values: hsm.all_m_values(),
        }))
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn version(part: &str) -> u16 {
    part.parse().unwrap_or_default()
}
