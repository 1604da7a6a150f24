//! `cloudhsm_client.cfg`, to be changed.

use std::path::PathBuf;

use super::document::Document;
use super::file::{Change, Found};
use super::{Address, ConfigureError, Template};
use crate::config::ClientConfig;

/// A file that names one HSM.
pub(super) struct ClientFile {
    found: Found,
    config: ClientConfig,
    document: Document,
}

impl ClientFile {
    pub(super) fn open(path: PathBuf) -> Result<Self, ConfigureError> {
        let found = Found::open(path, Template::Client)?;
        let config = ClientConfig::from_text(found.path(), found.text())?;
        let document = Document::of(found.path(), found.text())?;
        Ok(Self { found, config, document })
    }

    /// The HSM that it names.
    pub(super) fn server(&self) -> Address {
        let server = self.config.server();
        Address { hostname: server.hostname, port: server.port }
    }

    pub(super) fn name_server(mut self, address: &Address) -> Result<Change, ConfigureError> {
        self.document.set(&["server", "hostname"], &address.hostname.as_str().into());
        self.document.set(&["server", "port"], &address.port.into());
        self.change("server")
    }

    pub(super) fn name_identity(mut self, certificate: &str, pkey: &str) -> Result<Change, ConfigureError> {
        self.document.set(&["ssl", "certificate"], &certificate.into());
        self.document.set(&["ssl", "pkey"], &pkey.into());
        self.change("ssl")
    }

    fn change(self, what: &'static str) -> Result<Change, ConfigureError> {
        let text = self.document.to_string();
        ClientConfig::from_text(self.found.path(), &text)?;
        Ok(self.found.change(what, &text)?)
    }
}
