//! Editing `cloudhsm_mgmt_util.cfg`.

use std::path::PathBuf;

use super::document::Document;
use super::replace::{CurrentFile, Replacement};
use super::{ConfigTemplate, ConfigureError, HostPort};
use crate::config::{Config, ConfigError, ServerConfig};
use crate::protocol::device::Member;

/// A file that names all HSMs.
pub(super) struct ConsoleFile {
    file: CurrentFile,
    entries: Vec<ServerEntry>,
    /// The first enabled entry, of which new ones are copies.
    model: ServerEntry,
}

/// One server, parsed and as text.
#[derive(Clone)]
struct ServerEntry {
    server: ServerConfig,
    text: String,
}

impl ConsoleFile {
    pub(super) fn open(path: PathBuf) -> Result<Self, ConfigureError> {
        let file = CurrentFile::open(path, ConfigTemplate::Console)?;
        let config = Config::from_text(file.path(), file.text())?;
        let texts = Document::of(file.path(), file.text())?.elements(SERVERS);
        texts.iter().try_for_each(|text| Document::of(file.path(), text).map(drop))?;
        let entries = config.entries().iter().cloned().zip(texts);
        let entries: Vec<ServerEntry> = entries.map(|(server, text)| ServerEntry { server, text }).collect();
        let model = entries.iter().find(|entry| entry.server.is_enabled()).cloned();
        let model = model.ok_or_else(|| ConfigError::NoServer(file.path().to_owned()))?;
        Ok(Self { file, entries, model })
    }

    /// How the console would connect to a server at this address.
    pub(super) fn server_at(&self, address: &HostPort) -> ServerConfig {
        let mut server = self.model.server.clone();
        server.hostname.clone_from(&address.hostname);
        server.port = address.port;
        server
    }

    pub(super) fn name_server(self, address: &HostPort) -> Result<Replacement, ConfigureError> {
        let entry = self.entry_at(address).unwrap_or(&self.model);
        let texts = [entry.moved_to(address)];
        self.replace(&texts, "server")
    }

    /// An entry with a member's address stays as it is.
    pub(super) fn name_servers(self, members: &[Member]) -> Result<Replacement, ConfigureError> {
        let text = |member: &Member| {
            let address = HostPort { hostname: member.hostname.clone(), port: member.port };
            self.entry_at(&address).map_or_else(|| self.model.moved_to(&address), |entry| entry.text.clone())
        };
        let texts: Vec<String> = members.iter().map(text).collect();
        self.replace(&texts, "server")
    }

    pub(super) fn name_identity(self, certificate: &str, pkey: &str) -> Result<Replacement, ConfigureError> {
        let text = |entry: &ServerEntry| {
            let mut document = Document::new(&entry.text);
            document.set(&["certificate"], &certificate.into());
            document.set(&["pkey"], &pkey.into());
            document.to_string()
        };
        let texts: Vec<String> = self.entries.iter().map(text).collect();
        self.replace(&texts, "ssl")
    }

    fn entry_at(&self, address: &HostPort) -> Option<&ServerEntry> {
        self.entries.iter().find(|entry| entry.server.is_at(&address.hostname, address.port))
    }

    fn replace(self, servers: &[String], what: &'static str) -> Result<Replacement, ConfigureError> {
        let mut document = Document::new(self.file.text());
        document.replace_elements(SERVERS, servers);
        let text = document.to_string();
        // Never leave a file that the console refuses.
        Config::from_text(self.file.path(), &text)?;
        Ok(self.file.replace_by(&text, what)?)
    }
}

const SERVERS: &str = "servers";

impl ServerEntry {
    /// Its text for an HSM at another address.
    fn moved_to(&self, address: &HostPort) -> String {
        let mut document = Document::new(&self.text);
        document.set(&["hostname"], &address.hostname.as_str().into());
        document.set(&["name"], &address.hostname.as_str().into());
        document.set(&["port"], &address.port.into());
        document.to_string()
    }
}
