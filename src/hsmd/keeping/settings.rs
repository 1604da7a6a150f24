//! `hsmd.json`: an HSM's settings.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::protocol::device::Member;

/// The whole file. An unknown key is an error, and so is a missing one, but for those of later releases.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The address this HSM listens on.
    pub listen: SocketAddr,
    /// All HSMs of the cluster, this one included, as clients reach them.
    pub members: Vec<Member>,
    /// The CA (PEM, X.509 version 3) that client certificates must come from; `null` requires none.
    pub client_ca: Option<PathBuf>,
    /// Connections at a time; more wait until one ends.
    #[serde(deserialize_with = "at_most::<10_000, _>")]
    pub max_connections: u32,
    /// What connections without a login may cost the others.
    #[serde(default)]
    pub without_login: WithoutLogin,
    /// After so long without a call a session ends, and with it the login; `null` lets operators leave consoles open.
    #[serde(default, deserialize_with = "at_most_or_none::<86_400, _>")]
    pub max_idle_seconds: Option<u32>,
    /// So often an HSM asks one of the other members for keys that it missed; `null` leaves its keys as they are.
    #[serde(default = "follow_keys", deserialize_with = "at_most_or_none::<86_400, _>")]
    pub follow_keys_seconds: Option<u32>,
    /// How new passwords are hashed.
    pub password_hash: HashCost,
}

/// Limits for connections without a login.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WithoutLogin {
    /// How many at a time; for one more, the oldest has to go.
    #[serde(deserialize_with = "at_most::<10_000, _>")]
    pub max_connections: u32,
    /// How many of them from one IPv4 address or one IPv6 network (/64).
    #[serde(deserialize_with = "at_most::<10_000, _>")]
    pub max_connections_per_address: u32,
    /// The time from connecting, or from a logout, to a login. Then the HSM closes the connection.
    #[serde(deserialize_with = "at_most::<86_400, _>")]
    pub seconds: u32,
}

/// Argon2id's parameters.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashCost {
    /// Memory for one hash, in KiB, at most 1 GiB.
    #[serde(deserialize_with = "at_most::<1_048_576, _>")]
    pub memory_kib: u32,
    /// Passes over that memory.
    #[serde(deserialize_with = "at_most::<100, _>")]
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

impl Settings {
    /// The settings that `hsmd init` writes.
    #[must_use]
    pub fn new(listen: SocketAddr, members: Vec<Member>, password_hash: HashCost) -> Self {
        Self {
            listen,
            members,
            client_ca: None,
            max_connections: 900,
            without_login: WithoutLogin::default(),
            max_idle_seconds: None,
            follow_keys_seconds: follow_keys(),
            password_hash,
        }
    }
}

/// Each member asks all others within a quarter of an hour, even in a cluster of 32.
#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's type")]
fn follow_keys() -> Option<u32> {
    Some(30)
}

/// A number from 1 to `MAX`.
fn at_most<'de, const MAX: u32, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = u64::deserialize(deserializer)?;
    in_range::<MAX, D>(number)
}

/// As [`at_most`], or `null`.
fn at_most_or_none<'de, const MAX: u32, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u32>, D::Error> {
    Option::<u64>::deserialize(deserializer)?.map(in_range::<MAX, D>).transpose()
}

fn in_range<'de, const MAX: u32, D: Deserializer<'de>>(number: u64) -> Result<u32, D::Error> {
    match u32::try_from(number) {
        Ok(number) if (1..=MAX).contains(&number) => Ok(number),
        Ok(_) | Err(_) => Err(D::Error::custom(format!("{number} is not a number from 1 to {MAX}"))),
    }
}

impl Default for WithoutLogin {
    /// Hundreds of clients on one machine may connect at once, before the first of them logs in.
    fn default() -> Self {
        Self { max_connections: 600, max_connections_per_address: 450, seconds: 600 }
    }
}

impl Default for HashCost {
    /// OWASP's recommendation for Argon2id.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, iterations: 2, parallelism: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::{Settings, WithoutLogin};

    #[test]
    fn a_file_of_an_earlier_release_gets_the_defaults() {
        let text = include_str!("../../../config/hsmd.json");
        let mut settings: serde_json::Value = serde_json::from_str(text).unwrap();
        settings.as_object_mut().unwrap().remove("without_login").unwrap();
        settings.as_object_mut().unwrap().remove("max_idle_seconds").unwrap();
        settings.as_object_mut().unwrap().remove("follow_keys_seconds").unwrap();
        let settings = serde_json::from_value(settings).unwrap();
        let Settings { without_login, max_idle_seconds, follow_keys_seconds, .. } = settings;
        assert_eq!((max_idle_seconds, follow_keys_seconds), (None, Some(30)));
        let WithoutLogin { max_connections, max_connections_per_address, seconds } = without_login;
        assert_eq!((max_connections, max_connections_per_address, seconds), (600, 450, 600));
    }

    #[test]
    fn the_shipped_example_is_complete() {
        let text = include_str!("../../../config/hsmd.json");
        let settings: Settings = serde_json::from_str(text).unwrap();
        let again: serde_json::Value = serde_json::to_value(&settings).unwrap();
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(text).unwrap());
    }
}
