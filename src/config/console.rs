//! `cloudhsm_mgmt_util.cfg`: the console's configuration, as AWS published it and as other tools rewrite it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files::{UnreadableFile, unreadable};
use crate::protocol::message::PORT;

/// The whole file. Unknown keys are ignored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Config {
    #[serde(default)]
    scard: Scard,
    servers: Vec<ServerConfig>,
}

/// The smart card of the original's second factor: kept, never used.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
struct Scard {
    certificate: String,
    enable: Switch,
    pkey: String,
    port: u16,
}

/// One HSM.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServerConfig {
    /// Unused: an HSM is trusted by `owner_cert_path` alone.
    #[serde(rename = "CAfile", default)]
    ca_file: String,
    /// Unused, as `CAfile`.
    #[serde(rename = "CApath", default)]
    ca_path: String,
    /// The client's certificate (PEM, X.509 version 3), presented if it and `pkey` exist.
    #[serde(default)]
    pub certificate: PathBuf,
    /// Where the cluster's CA certificate, `customerCA.crt`, is.
    #[serde(default)]
    e2e_encryption: Option<E2e>,
    /// Whether the console connects to it at all.
    #[serde(default = "Switch::yes")]
    enable: Switch,
    /// An IP address or a name.
    pub hostname: String,
    /// What the console calls it; the host name by default.
    #[serde(default)]
    name: Option<String>,
    /// As `e2e_encryption.owner_cert_path`; another of AWS's tools puts it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner_cert_path: Option<PathBuf>,
    /// The private key of `certificate`.
    #[serde(default)]
    pub pkey: PathBuf,
    /// 2225 by default.
    #[serde(default = "default_port")]
    pub port: u16,
    /// Unused: TLS is always on.
    #[serde(default = "Switch::yes")]
    server_ssl: Switch,
    /// Unused: TLS 1.3 has its own.
    #[serde(default)]
    ssl_ciphers: String,
}

/// `enable` is ignored, and the banner says so, as the original's does.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct E2e {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enable: Option<Switch>,
    owner_cert_path: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Switch {
    Yes,
    No,
}

/// Why a file is not a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is missing, a directory, or closed to this user.
    #[error(transparent)]
    Unreadable(#[from] UnreadableFile),
    /// It is not JSON, or a setting is missing or wrong; the message names the setting.
    #[error("{path}: {1}", path = .0.display())]
    Invalid(PathBuf, String),
    /// There is nothing to connect to.
    #[error("{}: no server is enabled", .0.display())]
    NoServer(PathBuf),
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If it is not a configuration with at least one enabled server.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::from_text(path, &fs::read_to_string(path).map_err(unreadable(path))?)
    }

    /// Parses a file's text; `path` is only for the error.
    ///
    /// # Errors
    ///
    /// If it is not a configuration with at least one enabled server.
    pub fn from_text(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let config = Self::parse(text).map_err(|message| ConfigError::Invalid(path.to_owned(), message))?;
        if config.servers().next().is_none() {
            return Err(ConfigError::NoServer(path.to_owned()));
        }
        Ok(config)
    }

    /// A configuration of these servers.
    pub fn of(servers: impl IntoIterator<Item = ServerConfig>) -> Self {
        Self { scard: Scard::default(), servers: servers.into_iter().collect() }
    }

    /// The enabled servers, in the order of their numbers.
    pub fn servers(&self) -> impl Iterator<Item = &ServerConfig> {
        self.servers.iter().filter(|server| server.is_enabled())
    }

    /// All servers of the file, the disabled ones included.
    #[must_use]
    pub fn entries(&self) -> &[ServerConfig] {
        &self.servers
    }

    /// Whether the file sets `e2e_encryption.enable`, which is ignored: the banner mentions it.
    #[must_use]
    pub fn sets_e2e(&self) -> bool {
        self.servers().filter_map(|server| server.e2e_encryption.as_ref()).any(|e2e| e2e.enable.is_some())
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut json = serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}'));
        let mut ignored = |path: serde_ignored::Path<'_>| tracing::debug!(key = %path, "ignored");
        let known = serde_ignored::Deserializer::new(&mut json, &mut ignored);
        let config: Self = serde_path_to_error::deserialize(known).map_err(|error| error.to_string())?;
        json.end().map_err(|error| error.to_string())?;
        for server in config.servers().filter(|server| server.server_ssl == Switch::No) {
            tracing::warn!(server = server.name(), "server_ssl is \"no\"; TLS is used all the same");
        }
        Ok(config)
    }
}

impl ServerConfig {
    /// A server that is named after its host.
    #[must_use]
    pub fn new(hostname: &str, port: u16, owner_cert_path: &Path) -> Self {
        let e2e = E2e { enable: Some(Switch::Yes), owner_cert_path: owner_cert_path.to_owned() };
        Self {
            ca_file: String::new(),
            ca_path: String::new(),
            certificate: PathBuf::new(),
            e2e_encryption: Some(e2e),
            enable: Switch::Yes,
            hostname: hostname.to_owned(),
            name: Some(hostname.to_owned()),
            owner_cert_path: None,
            pkey: PathBuf::new(),
            port,
            server_ssl: Switch::Yes,
            ssl_ciphers: String::new(),
        }
    }

    /// Whether the console connects to it.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.enable == Switch::Yes
    }

    /// Whether it listens at this address.
    #[must_use]
    pub fn is_at(&self, hostname: &str, port: u16) -> bool {
        self.hostname == hostname && self.port == port
    }

    /// What the console calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.hostname)
    }

    /// The CA certificate that vouches for the cluster.
    #[must_use]
    pub fn owner_cert_path(&self) -> &Path {
        let of_e2e = self.e2e_encryption.as_ref().map(|e2e| &e2e.owner_cert_path);
        of_e2e.or(self.owner_cert_path.as_ref()).map_or(Path::new(DEFAULT_OWNER_CERT_PATH), PathBuf::as_path)
    }
}

/// Where the original's guide puts `customerCA.crt`.
const DEFAULT_OWNER_CERT_PATH: &str = "/opt/cloudhsm/etc/customerCA.crt";

impl Switch {
    fn yes() -> Self {
        Self::Yes
    }
}

impl Default for Scard {
    fn default() -> Self {
        Self { certificate: "cert-sc".to_owned(), enable: Switch::No, pkey: "pkey-sc".to_owned(), port: PORT }
    }
}

fn default_port() -> u16 {
    PORT
}

#[cfg(test)]
mod tests {
    use super::{Config, ServerConfig};

    #[test]
    fn the_shipped_example_is_complete_and_kept() {
        let text = include_str!("../../config/cloudhsm_mgmt_util.cfg");
        let config = Config::parse(text).unwrap();
        let again = serde_json::to_value(&config).unwrap();
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(text).unwrap());
    }

    #[test]
    fn a_disabled_server_is_left_out_and_others_close_the_gap() {
        let text = r#"{"servers": [{"hostname": "a"}, {"hostname": "b", "enable": "no"}, {"hostname": "c", "name": "C"}]}"#;
        let config = Config::parse(text).unwrap();
        assert_eq!(config.servers().map(ServerConfig::name).collect::<Vec<_>>(), ["a", "C"]);
    }

    #[test]
    fn unknown_keys_are_ignored() {
        let text = r#"{"servers": [{"hostname": "a", "zone": {"x": 1}}], "comment": "kept by other tools"}"#;
        assert!(Config::parse(text).is_ok());
    }

    #[test]
    fn an_error_names_the_key() {
        for (text, expected) in [
            ("{}", "missing field `servers`"),
            (r#"{"servers": [{"hostname": "a"}, {"name": "b"}]}"#, "servers[1]: missing field `hostname`"),
            (r#"{"servers": [{"hostname": "a", "port": 99999}]}"#, "servers[0].port: "),
            (r#"{"servers": [{"hostname": "a", "enable": "on"}]}"#, "servers[0].enable: "),
            (r#"{"servers": []} x"#, "trailing characters"),
        ] {
            let error = Config::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
