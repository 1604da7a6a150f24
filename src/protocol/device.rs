//! The HSM itself and the cluster it belongs to.

use serde::{Deserialize, Serialize};

use super::about::About;

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
