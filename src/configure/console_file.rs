//! `cloudhsm_mgmt_util.cfg`, to be changed.

use std::path::PathBuf;

use super::document::Document;
use super::file::{Change, Found};
use super::{Address, ConfigureError, Template};
use crate::config::{Config, ConfigError, ServerConfig};
use crate::protocol::device::Member;

/// A file that names all HSMs.
pub(super) struct ConsoleFile {
    found: Found,
    entries: Vec<Entry>,
    /// The first entry that is enabled: new ones are made like it.
    model: Entry,
}

/// One server: as it is meant, and as it is written.
#[derive(Clone)]
struct Entry {
    server: ServerConfig,
    text: String,
}

impl ConsoleFile {
    pub(super) fn open(path: PathBuf) -> Result<Self, ConfigureError> {
        let found = Found::open(path, Template::Console)?;
        let config = Config::from_text(found.path(), found.text())?;
        let texts = Document::of(found.path(), found.text())?.elements(SERVERS);
        texts.iter().try_for_each(|text| Document::of(found.path(), text).map(drop))?;
        let entries = config.entries().iter().cloned().zip(texts);
        let entries: Vec<Entry> = entries.map(|(server, text)| Entry { server, text }).collect();
        let model = entries.iter().find(|entry| entry.server.is_enabled()).cloned();
        let model = model.ok_or_else(|| ConfigError::NoServer(found.path().to_owned()))?;
        Ok(Self { found, entries, model })
    }

    /// How the console would reach a server there.
    pub(super) fn server_at(&self, address: &Address) -> ServerConfig {
        let mut server = self.model.server.clone();
        server.hostname.clone_from(&address.hostname);
        server.port = address.port;
        server
    }

    pub(super) fn name_server(self, address: &Address) -> Result<Change, ConfigureError> {
        let entry = self.entry_at(address).unwrap_or(&self.model);
        let texts = [entry.moved_to(address)];
        self.change(&texts, "server")
    }

    /// An entry that has a member's address already stays as it is.
    pub(super) fn name_servers(self, members: &[Member]) -> Result<Change, ConfigureError> {
        let text = |member: &Member| {
            let address = Address { hostname: member.hostname.clone(), port: member.port };
            self.entry_at(&address).map_or_else(|| self.model.moved_to(&address), |entry| entry.text.clone())
        };
        let texts: Vec<String> = members.iter().map(text).collect();
        self.change(&texts, "server")
    }

    pub(super) fn name_identity(self, certificate: &str, pkey: &str) -> Result<Change, ConfigureError> {
        let text = |entry: &Entry| {
            let mut document = Document::new(&entry.text);
            document.set(&["certificate"], &certificate.into());
            document.set(&["pkey"], &pkey.into());
            document.to_string()
        };
        let texts: Vec<String> = self.entries.iter().map(text).collect();
        self.change(&texts, "ssl")
    }

    fn entry_at(&self, address: &Address) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.server.is_at(&address.hostname, address.port))
    }

    fn change(self, servers: &[String], what: &'static str) -> Result<Change, ConfigureError> {
        let mut document = Document::new(self.found.text());
        document.replace_elements(SERVERS, servers);
        let text = document.to_string();
        Config::from_text(self.found.path(), &text)?;
        Ok(self.found.change(what, &text)?)
    }
}

const SERVERS: &str = "servers";

impl Entry {
    /// As it is written when it stands for another HSM.
    fn moved_to(&self, address: &Address) -> String {
        let mut document = Document::new(&self.text);
        document.set(&["hostname"], &address.hostname.as_str().into());
        document.set(&["name"], &address.hostname.as_str().into());
        document.set(&["port"], &address.port.into());
        document.to_string()
    }
}
