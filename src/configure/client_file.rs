//! `cloudhsm_client.cfg`, to be changed.

use std::path::PathBuf;

use super::document::Document;
use super::file::{Change, Found};
use super::{Address, ConfigureError, Template};
use crate::cluster::client_config::ClientConfig;

/// A file that names one HSM.
pub(super) struct ClientFile {
    found: Found,
    config: ClientConfig,
}

impl ClientFile {
    pub(super) fn open(path: PathBuf) -> Result<Self, ConfigureError> {
        let found = Found::open(path, Template::Client)?;
        let config = ClientConfig::from_text(found.path(), found.text())?;
        Ok(Self { found, config })
    }

    /// The HSM that it names.
    pub(super) fn server(&self) -> Address {
        let server = self.config.server();
        Address { hostname: server.hostname, port: server.port }
    }

    pub(super) fn name_server(self, address: &Address) -> Result<Change, ConfigureError> {
        let mut document = Document::new(self.found.text());
        document.set(&["server", "hostname"], &address.hostname.as_str().into());
        document.set(&["server", "port"], &address.port.into());
        self.change(&document, "server")
    }

    pub(super) fn name_identity(self, certificate: &str, pkey: &str) -> Result<Change, ConfigureError> {
        let mut document = Document::new(self.found.text());
        document.set(&["ssl", "certificate"], &certificate.into());
        document.set(&["ssl", "pkey"], &pkey.into());
        self.change(&document, "ssl")
    }

    fn change(self, document: &Document, what: &'static str) -> Result<Change, ConfigureError> {
        let text = document.to_string();
        ClientConfig::from_text(self.found.path(), &text)?;
        Ok(self.found.change(what, &text)?)
    }
}
