//! `cloudhsm_client.cfg`: the configuration of the original's client daemon, which names one HSM of the cluster.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::console::{Config, ConfigError, ServerConfig};
use super::lenient::Lenient;
use super::warning::Warning;
use crate::files::unreadable;
use crate::protocol::message::PORT;

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
    #[serde(skip)]
    warnings: Vec<Warning>,
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
        let json: Result<serde_json::Value, _> = serde_json::from_str(Lenient::read(&text).json());
        if json.is_ok_and(|json| json.get("servers").is_some()) {
            return Config::from_text(path, &text).map(Self::Console);
        }
        ClientConfig::from_text(path, &text).map(Self::Client)
    }

    /// What the file should not have.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        match self {
            Self::Client(config) => config.warnings(),
            Self::Console(config) => config.warnings(),
        }
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
        let lenient = Lenient::read(text);
        let mut json = serde_json::Deserializer::from_str(lenient.json());
        let invalid = |message| ConfigError::Invalid(path.to_owned(), message);
        let config: Self =
            serde_path_to_error::deserialize(&mut json).map_err(|error| invalid(error.to_string()))?;
        json.end().map_err(|error| invalid(error.to_string()))?;
        Ok(Self { warnings: lenient.warnings(path), ..config })
    }

    /// What the file should not have.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The HSM that the file names.
    #[must_use]
    pub fn server(&self) -> ServerConfig {
        let port = match self.server.port {
            DAEMON_PORT => PORT,
            port => port,
        };
        self.member(&self.server.hostname, port)
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

/// What the original's client file has as the port: there, the HSM that it names was reached through a daemon. The same
/// HSM listens for these programs on [`PORT`].
const DAEMON_PORT: u16 = 2223;

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
        assert_eq!((server.hostname.as_str(), server.port), ("10.10.4.20", 2225));
        assert_eq!(server.owner_cert_path(), Path::new("/opt/cloudhsm/etc/customerCA.crt"));
        assert_eq!(config.client.create_object_minimum_nodes, 1);
    }

    #[test]
    fn the_daemons_port_stands_for_the_hsms() {
        for (written, port) in [("2223", 2225), ("\"2223\"", 2225), ("2225", 2225), ("2226", 2226)] {
            let text = format!(
                r#"{{"client": {{"e2e_owner_crt_path": "x"}}, "server": {{"hostname": "a", "port": {written}}}}}"#
            );
            let Ok(KeyConfig::Client(config)) = load(&text) else { panic!("not a client's file") };
            assert_eq!(config.server().port, port, "{written}");
        }
    }

    #[test]
    fn either_file_may_have_comments() {
        let console =
            load("{\"servers\": [{\"hostname\": \"a\"},]}").unwrap_or_else(|error| panic!("{error}"));
        assert!(matches!(console, KeyConfig::Console(_)) && console.warnings().len() == 1);
        let text = include_str!("../../config/cloudhsm_client.cfg").replacen('{', "{ # mine", 1);
        let client = load(&text).unwrap_or_else(|error| panic!("{error}"));
        assert!(matches!(client, KeyConfig::Client(_)) && client.warnings().len() == 1);
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
