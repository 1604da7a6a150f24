//! The HSM itself and the cluster it belongs to.

use serde::{Deserialize, Serialize};

use super::about::About;
use super::service::Service;

/// Asks for the HSM's make, firmware and memory.
#[derive(Clone, Serialize, Deserialize)]
pub struct DescribeHsm;

impl About for DescribeHsm {}

/// What an HSM says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HsmDescription {
    /// Such as `3.0A0101-ICM000001`.
    pub serial_number: String,
    /// Bytes of memory for token objects.
    pub total_public_memory: u32,
    /// How many of these bytes are free.
    pub free_public_memory: u32,
    /// The firmware's major and minor number: those of the program that serves the HSM.
    pub firmware: (u16, u16),
    /// The firmware's build: the program's patch number.
    pub build: u16,
}

/// Asks which HSMs form the cluster.
#[derive(Clone, Serialize, Deserialize)]
pub struct ListMembers;

impl About for ListMembers {}

/// One HSM of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Counts from 0 and is the high part of the handles of keys made there.
    pub node_id: u32,
    /// Where clients reach it.
    pub hostname: String,
    /// 2225 by default.
    pub port: u16,
}

/// Asks for the limits and the policies of the HSM's partition, and how much of it is in use.
#[derive(Clone, Serialize, Deserialize)]
pub struct DescribePartition;

impl About for DescribePartition {}

/// A partition: on this HSM, all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionDescription {
    /// The HSM's id.
    pub name: String,
    /// The high part of the handles of keys made here.
    pub node_id: u32,
    /// How many users it holds.
    pub max_users: u32,
    /// How many more users it has room for.
    pub available_users: u32,
    /// How many keys it holds, token and session keys together.
    pub max_keys: u32,
    /// Token keys now.
    pub token_keys: u32,
    /// Session keys now.
    pub session_keys: u32,
    /// Sessions with a login now.
    pub sessions: u32,
    /// Connections that it serves at a time.
    pub max_connections: u32,
    /// The shortest and the longest password, in characters.
    pub password_lengths: (u32, u32),
    /// Whether a user who owns keys cannot be deleted.
    pub block_delete_user_with_keys: bool,
    /// Whether the HSM proves by a certificate whose it is.
    pub cert_auth: bool,
    /// Whether it takes two persons to restore a backup.
    pub two_key_backup: bool,
    /// How keys get to other HSMs: 0 is as masked objects.
    pub cloning_method: u8,
    /// Where the key comes from that encrypts backups: 0 is the clone family.
    pub kek_method: u8,
    /// COs with a key to approve with: the N of M of N.
    pub approvers: u32,
    /// Every service with its M value; 1 is none.
    pub m_values: Vec<(Service, u8)>,
}
