//! Editing the configuration files: which HSMs there are, and the client certificate.
//!
//! [`Files::prepare`] reads and checks everything, asks the HSM if it has to, and changes nothing. Each [`Replacement`]
//! that it returns then replaces one file.

mod advice;
mod client_file;
mod console_file;
mod document;
mod replace;
mod template;

use std::path::PathBuf;

use crate::cluster::{NoMembers, proven_members};
use crate::config::ConfigError;
use crate::wire::Limits;
use crate::wire::identity::TlsIdentity;
use crate::wire::pem_file::PemError;
use crate::wire::verifier::{self, Unusable};
use client_file::ClientFile;
use console_file::ConsoleFile;

pub use advice::advice;
pub use replace::{ReplaceError, Replacement};
pub use template::ConfigTemplate;

/// The client daemon's configuration, where the original's package puts it.
pub const CLIENT_FILE: &str = "/opt/cloudhsm/etc/cloudhsm_client.cfg";

/// The console's configuration, where the original's package puts it.
pub const CONSOLE_FILE: &str = "/opt/cloudhsm/etc/cloudhsm_mgmt_util.cfg";

/// What to write into the files.
pub enum Update {
    /// One HSM.
    Server(HostPort),
    /// All HSMs of the cluster. The HSM in the client's file lists them; this is its port, if not the one in that file.
    Members(Option<u16>),
    /// All HSMs of the cluster. This HSM lists them.
    Cluster(HostPort),
    /// The clients' certificate and private key.
    Ssl {
        /// PEM, X.509 version 3.
        certificate: PathBuf,
        /// PEM, without a pass phrase.
        pkey: PathBuf,
    },
}

/// Where an HSM listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// An IP address or a name.
    pub hostname: String,
    /// 2225 by default.
    pub port: u16,
}

/// The files to edit: those that are given, or both at their usual places if none is.
pub struct Files {
    /// The client daemon's file, which names one HSM.
    pub client: Option<PathBuf>,
    /// The console's file, which names all HSMs.
    pub console: Option<PathBuf>,
}

/// Why no file is changed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigureError {
    /// A file cannot be read or replaced.
    #[error(transparent)]
    File(#[from] ReplaceError),
    /// A file is not a valid configuration, or would not be one afterwards.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The HSM does not list its cluster.
    #[error(transparent)]
    Members(#[from] NoMembers),
    /// The client certificate or its key cannot be used.
    #[error(transparent)]
    Identity(#[from] PemError),
    /// No HSM would accept this certificate with this private key.
    #[error("{certificate} and {pkey}: {2}", certificate = .0.display(), pkey = .1.display())]
    Pair(PathBuf, PathBuf, Unusable),
    /// JSON is text; a path need not be.
    #[error("{}: the path cannot be written in a configuration file", .0.display())]
    Path(PathBuf),
}

impl Files {
    /// Stages an update of all files that it concerns.
    ///
    /// # Errors
    ///
    /// If any part of it cannot be done.
    pub async fn prepare(&self, update: &Update, limits: Limits) -> Result<Vec<Replacement>, ConfigureError> {
        match update {
            Update::Server(address) => self.name_server(address),
            Update::Members(port) => self.find_members(*port, limits).await,
            Update::Cluster(address) => self.find_cluster(address, limits).await,
            Update::Ssl { certificate, pkey } => self.name_identity(certificate.clone(), pkey.clone()),
        }
    }

    fn name_server(&self, address: &HostPort) -> Result<Vec<Replacement>, ConfigureError> {
        let (client, console) = (self.open_client()?, self.open_console()?);
        let client = client.map(|file| file.name_server(address)).transpose()?;
        let console = console.map(|file| file.name_server(address)).transpose()?;
        Ok(client.into_iter().chain(console).collect())
    }

    async fn find_members(
        &self,
        port: Option<u16>,
        limits: Limits,
    ) -> Result<Vec<Replacement>, ConfigureError> {
        let client = ClientFile::open(self.client.clone().unwrap_or(CLIENT_FILE.into()))?;
        let console = self.open_the_console()?;
        let named = client.server();
        let seed = HostPort { port: port.unwrap_or(named.port), ..named };
        let members = proven_members(&console.server_at(&seed), limits).await?;
        Ok(vec![console.name_servers(&members)?])
    }

    async fn find_cluster(
        &self,
        address: &HostPort,
        limits: Limits,
    ) -> Result<Vec<Replacement>, ConfigureError> {
        let (client, console) = (self.open_client()?, self.open_the_console()?);
        let members = proven_members(&console.server_at(address), limits).await?;
        let client = client.map(|file| file.name_server(address)).transpose()?;
        Ok(client.into_iter().chain([console.name_servers(&members)?]).collect())
    }

    fn name_identity(&self, certificate: PathBuf, pkey: PathBuf) -> Result<Vec<Replacement>, ConfigureError> {
        let (client, console) = (self.open_client()?, self.open_console()?);
        let identity = TlsIdentity::load(&certificate, &pkey)?;
        if let Err(reason) = verifier::check(&identity) {
            return Err(ConfigureError::Pair(certificate, pkey, reason));
        }
        let (certificate, pkey) = (path_text(certificate)?, path_text(pkey)?);
        let client = client.map(|file| file.name_identity(&certificate, &pkey)).transpose()?;
        let console = console.map(|file| file.name_identity(&certificate, &pkey)).transpose()?;
        Ok(client.into_iter().chain(console).collect())
    }

    fn open_client(&self) -> Result<Option<ClientFile>, ConfigureError> {
        let path = match (&self.client, &self.console) {
            (Some(path), _) => path.clone(),
            (None, Some(_)) => return Ok(None),
            (None, None) => CLIENT_FILE.into(),
        };
        ClientFile::open(path).map(Some)
    }

    fn open_console(&self) -> Result<Option<ConsoleFile>, ConfigureError> {
        if self.console.is_none() && self.client.is_some() {
            return Ok(None);
        }
        self.open_the_console().map(Some)
    }

    fn open_the_console(&self) -> Result<ConsoleFile, ConfigureError> {
        ConsoleFile::open(self.console.clone().unwrap_or(CONSOLE_FILE.into()))
    }
}

/// Makes it absolute, as the programs that read the files run in other folders.
fn path_text(path: PathBuf) -> Result<String, ConfigureError> {
    let absolute = std::path::absolute(&path).ok();
    absolute.as_deref().and_then(std::path::Path::to_str).map(str::to_owned).ok_or(ConfigureError::Path(path))
}
