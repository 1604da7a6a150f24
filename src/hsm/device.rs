//! What the HSM says of itself and its cluster.

use super::{Case, Decide, Decided, Ruling};
use crate::protocol::device::{DescribeHsm, HsmDescription, ListMembers, Member};

/// The memory that the original reports for token objects, in bytes.
const PUBLIC_MEMORY: u32 = 560_596;

/// The part of it that each user takes.
const USER_MEMORY: u32 = 256;

impl Decide for DescribeHsm {
    fn decide(&self, case: &Case<'_>) -> Ruling<HsmDescription> {
        let users = u32::try_from(case.hsm.users.len()).unwrap_or(u32::MAX);
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

fn version(part: &str) -> u16 {
    part.parse().unwrap_or_default()
}
