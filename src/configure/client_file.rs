//! Editing `cloudhsm_client.cfg`.

use std::path::PathBuf;

use super::document::Document;
use super::replace::{CurrentFile, Replacement};
use super::{ConfigTemplate, ConfigureError, HostPort};
use crate::config::ClientConfig;

/// A file that names one HSM.
pub(super) struct ClientFile {
    file: CurrentFile,
    config: ClientConfig,
    document: Document,
}

impl ClientFile {
    pub(super) fn open(path: PathBuf) -> Result<Self, ConfigureError> {
        let file = CurrentFile::open(path, ConfigTemplate::Client)?;
        let config = ClientConfig::from_text(file.path(), file.text())?;
        let document = Document::of(file.path(), file.text())?;
        Ok(Self { file, config, document })
    }

    pub(super) fn server(&self) -> HostPort {
        let server = self.config.server();
        HostPort { hostname: server.hostname, port: server.port }
    }

    pub(super) fn name_server(mut self, address: &HostPort) -> Result<Replacement, ConfigureError> {
        self.document.set(&["server", "hostname"], &address.hostname.as_str().into());
        self.document.set(&["server", "port"], &address.port.into());
        self.replace("server")
    }

    pub(super) fn name_identity(
        mut self,
        certificate: &str,
        pkey: &str,
    ) -> Result<Replacement, ConfigureError> {
        self.document.set(&["ssl", "certificate"], &certificate.into());
        self.document.set(&["ssl", "pkey"], &pkey.into());
        self.replace("ssl")
    }

    fn replace(self, what: &'static str) -> Result<Replacement, ConfigureError> {
        let text = self.document.to_string();
        // Never leave a file that the next program refuses.
        ClientConfig::from_text(self.file.path(), &text)?;
        Ok(self.file.replace_by(&text, what)?)
    }
}
