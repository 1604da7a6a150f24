//! `cloudhsm_client.cfg`: the configuration of the original's client daemon, which names one HSM of the cluster.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::console::{Config, ConfigError, ServerConfig};
use crate::files::unreadable;

/// What `key_mgmt_util` reads: the client daemon's configuration, or the console's.
pub enum KeyConfig {
    /// It names one HSM, which knows the others.
    Client(ClientConfig),
    /// It names all HSMs.
    Console(Config),
}

/// The settings that mean something here. The daemon's own, such as its socket, are ignored.
#[derive(Clone, Debug, Deserialize)]
pub struct ClientConfig {
    client: Client,
    server: SeedServer,
    #[serde(default)]
    ssl: ClientCertificate,
}

#[derive(Clone, Debug, Deserialize)]
struct Client {
    #[serde(default = "one")]
    create_object_minimum_nodes: usize,
    e2e_owner_crt_path: PathBuf,
}

#[derive(Clone, Debug, Deserialize)]
struct SeedServer {
    hostname: String,
    port: u16,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct ClientCertificate {
    #[serde(default)]
    certificate: PathBuf,
    #[serde(default)]
    pkey: PathBuf,
}

impl KeyConfig {
    /// Reads a file of either kind. If it has the key `servers`, it is the console's.
    ///
    /// # Errors
    ///
    /// If it cannot be read or is of neither kind.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(unreadable(path))?;
        let json: Result<serde_json::Value, _> = serde_json::from_str(text.trim_start_matches('\u{feff}'));
        if json.is_ok_and(|json| json.get("servers").is_some()) {
            return Config::from_text(path, &text).map(Self::Console);
        }
        ClientConfig::from_text(path, &text).map(Self::Client)
    }

    /// How many HSMs have to hold a new token key. On fewer it is removed again.
    #[must_use]
    pub fn minimum_nodes(&self) -> usize {
        match self {
            Self::Client(config) => config.client.create_object_minimum_nodes.max(1),
            Self::Console(_) => one(),
        }
    }
}

impl ClientConfig {
    /// Parses a file's text; `path` is only for the error.
    ///
    /// # Errors
    ///
    /// If it is not JSON, or a setting is missing or wrong.
    pub fn from_text(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut json = serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}'));
        let invalid = |message| ConfigError::Invalid(path.to_owned(), message);
        let config =
            serde_path_to_error::deserialize(&mut json).map_err(|error| invalid(error.to_string()))?;
        json.end().map_err(|error| invalid(error.to_string()))?;
        Ok(config)
    }

    /// The HSM that the file names.
    #[must_use]
    pub fn server(&self) -> ServerConfig {
        self.member(&self.server.hostname, self.server.port)
    }

    /// Another HSM of the same cluster.
    #[must_use]
    pub fn member(&self, hostname: &str, port: u16) -> ServerConfig {
        let mut server = ServerConfig::new(hostname, port, &self.client.e2e_owner_crt_path);
        server.certificate.clone_from(&self.ssl.certificate);
        server.pkey.clone_from(&self.ssl.pkey);
        server
    }
}

fn one() -> usize {
    1
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::KeyConfig;

    fn load(text: &str) -> Result<KeyConfig, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloudhsm_client.cfg");
        fs::write(&path, text).unwrap();
        KeyConfig::load(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn the_shipped_example_is_read() {
        let Ok(KeyConfig::Client(config)) = load(include_str!("../../config/cloudhsm_client.cfg")) else {
            panic!("not a client's file")
        };
        let server = config.server();
        assert_eq!((server.hostname.as_str(), server.port), ("10.10.4.20", 2223));
        assert_eq!(server.owner_cert_path(), Path::new("/opt/cloudhsm/etc/customerCA.crt"));
        assert_eq!(config.client.create_object_minimum_nodes, 1);
    }

    #[test]
    fn the_consoles_file_is_read() {
        assert!(matches!(load(r#"{"servers": [{"hostname": "a"}]}"#), Ok(KeyConfig::Console(_))));
    }

    #[test]
    fn an_error_names_the_key() {
        for (text, expected) in [
            (r#"{"client": {"e2e_owner_crt_path": "x"}}"#, "missing field `server`"),
            (r#"{"client": {}, "server": {"hostname": "a", "port": 1}}"#, "client: missing field"),
            (r#"{"client": {"e2e_owner_crt_path": "x"}, "server": {"hostname": "a"}}"#, "server: missing"),
            ("{", "EOF"),
        ] {
            let error = load(text).map(|_| ()).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
