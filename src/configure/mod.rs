//! Writing the configuration files: which HSMs there are, and the client certificate.
//!
//! A [`Files::prepare`] reads, asks and checks everything and touches nothing; the [`Change`]s that it returns
//! replace a file each.

mod advice;
mod client_file;
mod console_file;
mod document;
mod file;
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
pub use file::{Change, FileError};
pub use template::Template;

/// Where the original's installation keeps the file of the client daemon.
pub const CLIENT_FILE: &str = "/opt/cloudhsm/etc/cloudhsm_client.cfg";

/// Where the original's installation keeps the console's file.
pub const CONSOLE_FILE: &str = "/opt/cloudhsm/etc/cloudhsm_mgmt_util.cfg";

/// What the files are to say.
pub enum Order {
    /// There is this HSM.
    Server(Address),
    /// There are all HSMs of the cluster that the client's file names one of, at another port if one is given.
    Members(Option<u16>),
    /// There are all HSMs of the cluster that this one is of.
    Cluster(Address),
    /// Clients prove themselves with this certificate and this private key.
    Ssl {
        /// PEM, X.509 version 3.
        certificate: PathBuf,
        /// PEM, without a pass phrase.
        pkey: PathBuf,
    },
}

/// Where an HSM listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// An IP address or a name.
    pub hostname: String,
    /// 2225 by default.
    pub port: u16,
}

/// The files that are named; one that is not named is left alone while the other one is.
pub struct Files {
    /// Of the client daemon: one HSM.
    pub client: Option<PathBuf>,
    /// Of the console: all HSMs.
    pub console: Option<PathBuf>,
}

/// Why nothing is changed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigureError {
    /// A file cannot be read or replaced.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file does not say, or would not say afterwards, what a configuration has to.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The cluster cannot be asked.
    #[error(transparent)]
    Members(#[from] NoMembers),
    /// The client certificate or its key cannot be read.
    #[error(transparent)]
    Identity(#[from] PemError),
    /// No HSM would take them.
    #[error("{} and {}: {reason}", certificate.display(), pkey.display())]
    Pair {
        /// The client certificate.
        certificate: PathBuf,
        /// Its private key, or another's.
        pkey: PathBuf,
        /// What is wrong with them.
        reason: Unusable,
    },
    /// JSON is text, and file names need not be.
    #[error("{}: the path cannot be written in a configuration file", .0.display())]
    Path(PathBuf),
}

impl Files {
    /// Makes ready what an order changes.
    ///
    /// # Errors
    ///
    /// If any of it cannot be done; nothing is changed then.
    pub async fn prepare(&self, order: &Order, limits: Limits) -> Result<Vec<Change>, ConfigureError> {
        match order {
            Order::Server(address) => self.name_server(address),
            Order::Members(port) => self.find_members(*port, limits).await,
            Order::Cluster(address) => self.find_cluster(address, limits).await,
            Order::Ssl { certificate, pkey } => self.name_identity(certificate.clone(), pkey.clone()),
        }
    }

    fn name_server(&self, address: &Address) -> Result<Vec<Change>, ConfigureError> {
        let (client, console) = (self.open_client()?, self.open_console()?);
        let client = client.map(|file| file.name_server(address)).transpose()?;
        let console = console.map(|file| file.name_server(address)).transpose()?;
        Ok(client.into_iter().chain(console).collect())
    }

    async fn find_members(&self, port: Option<u16>, limits: Limits) -> Result<Vec<Change>, ConfigureError> {
        let client = ClientFile::open(self.client.clone().unwrap_or(CLIENT_FILE.into()))?;
        let console = self.open_the_console()?;
        let named = client.server();
        let seed = Address { port: port.unwrap_or(named.port), ..named };
        let members = proven_members(&console.server_at(&seed), limits).await?;
        Ok(vec![console.name_servers(&members)?])
    }

    async fn find_cluster(&self, address: &Address, limits: Limits) -> Result<Vec<Change>, ConfigureError> {
        let (client, console) = (self.open_client()?, self.open_the_console()?);
        let members = proven_members(&console.server_at(address), limits).await?;
        let client = client.map(|file| file.name_server(address)).transpose()?;
        Ok(client.into_iter().chain([console.name_servers(&members)?]).collect())
    }

    fn name_identity(&self, certificate: PathBuf, pkey: PathBuf) -> Result<Vec<Change>, ConfigureError> {
        let (client, console) = (self.open_client()?, self.open_console()?);
        let identity = TlsIdentity::load(&certificate, &pkey)?;
        if let Err(reason) = verifier::check(&identity) {
            return Err(ConfigureError::Pair { certificate, pkey, reason });
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

/// The programs that read the files run in other folders.
fn path_text(path: PathBuf) -> Result<String, ConfigureError> {
    let absolute = std::path::absolute(&path).ok();
    absolute.as_deref().and_then(std::path::Path::to_str).map(str::to_owned).ok_or(ConfigureError::Path(path))
}
