//! What the HSM says of itself.

use super::Hsm;
use crate::protocol::device::HsmDescription;

/// The memory that the original reports for token objects, in bytes.
const PUBLIC_MEMORY: u32 = 560_596;

/// What a user takes of it.
const USER_MEMORY: u32 = 256;

impl Hsm {
    pub(super) fn describe(&self) -> HsmDescription {
        let users = u32::try_from(self.users.len()).unwrap_or(u32::MAX);
        HsmDescription {
            serial_number: self.identity.serial_number.clone(),
            total_public_memory: PUBLIC_MEMORY,
            free_public_memory: PUBLIC_MEMORY.saturating_sub(users.saturating_mul(USER_MEMORY)),
            firmware: (version(env!("CARGO_PKG_VERSION_MAJOR")), version(env!("CARGO_PKG_VERSION_MINOR"))),
            build: version(env!("CARGO_PKG_VERSION_PATCH")),
        }
    }
}

fn version(part: &str) -> u16 {
    part.parse().unwrap_or_default()
}
