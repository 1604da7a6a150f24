//! `hsmd.json`: what an HSM's owner may set.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::protocol::device::Member;

/// The whole file; every key is required, none is ignored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where this HSM listens.
    pub listen: SocketAddr,
    /// All HSMs of the cluster, this one included, as clients reach them.
    pub members: Vec<Member>,
    /// Clients must hold a certificate of this CA (PEM, X.509 version 3); `null` asks for none.
    pub client_ca: Option<PathBuf>,
    /// Connections at the same time; more wait until one ends.
    pub max_connections: usize,
    /// How new passwords are hashed.
    pub password_hash: HashCost,
}

/// Argon2id's parameters.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashCost {
    /// Memory for one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

impl Settings {
    /// What `hsmd init` writes.
    #[must_use]
    pub fn new(listen: SocketAddr, members: Vec<Member>, password_hash: HashCost) -> Self {
        Self { listen, members, client_ca: None, max_connections: 900, password_hash }
    }
}

impl Default for HashCost {
    /// OWASP's first choice for Argon2id.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, iterations: 2, parallelism: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn the_shipped_example_is_complete() {
        let text = include_str!("../../config/hsmd.json");
        let settings: Settings = serde_json::from_str(text).unwrap();
        let again: serde_json::Value = serde_json::to_value(&settings).unwrap();
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(text).unwrap());
    }
}
