//! A development cluster: the daemon's HSMs inside another program, on ephemeral ports of the loopback.
//!
//! The HSMs have the names, addresses and ids of a cluster made by `hsmd cluster init`, the same each time, so
//! that two sessions print the same; only the sockets differ, so that two can run at once.
//!
//! A cluster that is kept in a folder says there, in `dev.json`, where its sockets are while it runs, so that another
//! program can join it.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use tokio::runtime::Runtime;

use crate::cluster::{Dial, Opened, Owner};
use crate::config::{Config, ConfigError, ServerConfig};
use crate::hsmd::keeping::folder::{self, CONFIG, FolderError};
use crate::hsmd::keeping::settings::HashCost;
use crate::hsmd::making::init::{self, InitError, Names, NewCluster};
use crate::hsmd::making::pki::Vouching;
use crate::hsmd::serving::run::{RunError, Running};
use crate::protocol::message::PORT;
use crate::wire::Limits;
use crate::wire::anchor::{Anchor, AnchorError};
use crate::wire::link::Address;
use crate::wire::pem_file::PemError;

/// A cluster that runs until it is stopped.
pub struct Dev {
    /// What the console reads.
    pub config: Config,
    /// How the console reaches the HSMs.
    pub dials: Vec<Dial>,
    hsms: Option<Hsms>,
    /// Says where the HSMs listen, while they do.
    beacon: Option<PathBuf>,
}

/// HSMs with threads of their own, so that they answer others while the program that has them waits at its prompt.
struct Hsms {
    threads: Runtime,
    running: Vec<Running>,
}

/// Why there is no development cluster.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// A folder could not be made.
    #[error(transparent)]
    Init(#[from] InitError),
    /// The folder is not a cluster's.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// An HSM of it does not run.
    #[error("{}: {source}", folder.display())]
    Run {
        /// The HSM's.
        folder: PathBuf,
        /// Why.
        source: RunError,
    },
    /// The console's configuration in it cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The client certificate of the configuration cannot be used.
    #[error(transparent)]
    Identity(#[from] PemError),
    /// The cluster's CA certificate cannot be used.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// Other programs cannot be told where the HSMs listen.
    #[error("{}: {source}", path.display())]
    Beacon {
        /// Of the file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system has no threads for the HSMs.
    #[error("no threads for the HSMs: {0}")]
    Threads(io::Error),
    /// There is no place for temporary files.
    #[error("no temporary folder: {0}")]
    Temporary(io::Error),
    /// A kept cluster has the size it was made with.
    #[error("{}: the cluster there has {found} HSMs, not {wanted}", folder.display())]
    OtherSize {
        /// The cluster's.
        folder: PathBuf,
        /// How many HSMs it has.
        found: usize,
        /// How many were asked for.
        wanted: u32,
    },
}

/// The HSMs of a development cluster are called 127.0.1.1, 127.0.1.2, …
const NET: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 0);

/// In a kept cluster's folder while it runs: the sockets of its HSMs, in order.
const BEACON: &str = "dev.json";

/// HSMs of a development cluster if nobody says how many.
const DEFAULT_NODES: u32 = 3;

impl Dev {
    /// Starts a cluster of `nodes` HSMs: the one kept in `folder`, made there if there is none, or one that is
    /// gone when this program ends.
    ///
    /// # Errors
    ///
    /// If it cannot be made or run.
    pub fn start(
        nodes: Option<u32>,
        folder: Option<&Path>,
        password_hash: HashCost,
    ) -> Result<Self, DevError> {
        let new = NewCluster {
            nodes: nodes.unwrap_or(DEFAULT_NODES),
            net: NET,
            port: PORT,
            names: Names::Numbered,
            password_hash,
            vouching: Vouching::MadeHere,
        };
        match folder {
            Some(folder) => {
                if is_absent_or_empty(folder) {
                    init::cluster(folder, &new)?;
                }
                let mut dev = Self::run(folder, nodes)?;
                dev.light_beacon(folder)?;
                Ok(dev)
            }
            None => {
                let temporary = tempfile::Builder::new()
                    .prefix("cloudhsm-dev-")
                    .tempdir()
                    .map_err(DevError::Temporary)?;
                let folder = temporary.path().join("cluster");
                init::cluster(&folder, &new)?;
                // The HSMs have their files open: nothing is left behind, however this program ends.
                Self::run(&folder, nodes).inspect(|_| drop(temporary))
            }
        }
    }

    /// The cluster that another program runs from this folder; `None` if none does.
    ///
    /// # Errors
    ///
    /// If the folder's configuration cannot be used.
    pub async fn join(folder: &Path) -> Result<Option<Self>, DevError> {
        let Ok(beacon) = fs::read(folder.join(BEACON)) else { return Ok(None) };
        let Ok(sockets) = serde_json::from_slice::<Vec<SocketAddr>>(&beacon) else { return Ok(None) };
        let config = Config::load(&folder.join(CONFIG))?;
        let mut dials = Vec::new();
        for (socket, server) in sockets.iter().zip(config.servers()) {
            dials.push(dial(*socket, server)?);
        }
        // A program that was killed has left its beacon, and its sockets may be somebody else's by now.
        let Some(first) = dials.first() else { return Ok(None) };
        let limits = Limits::default();
        let Opened::Trusted(link) = first.open(&limits).await else { return Ok(None) };
        link.close(&limits).await;
        Ok(Some(Self { config, dials, hsms: None, beacon: None }))
    }

    /// Stops all HSMs; what was acknowledged is stored.
    pub fn stop(self) {
        if let Some(beacon) = self.beacon {
            // If it stays, whoever reads it finds nobody there.
            let _ = fs::remove_file(beacon);
        }
        if let Some(Hsms { threads, running }) = self.hsms {
            threads.block_on(async {
                for hsm in running {
                    hsm.stop().await;
                }
            });
        }
    }

    fn run(folder: &Path, nodes: Option<u32>) -> Result<Self, DevError> {
        let hsms = folder::hsm_folders(folder)?;
        if let Some(wanted) = nodes.filter(|wanted| usize::try_from(*wanted) != Ok(hsms.len())) {
            return Err(DevError::OtherSize { folder: folder.to_owned(), found: hsms.len(), wanted });
        }
        let config = Config::load(&folder.join(CONFIG))?;
        let threads = Runtime::new().map_err(DevError::Threads)?;
        let (mut running, mut dials) = (Vec::new(), Vec::new());
        for (hsm, server) in hsms.iter().zip(config.servers()) {
            let any_port = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
            let hsm_runs = threads.block_on(Running::start(hsm, Some(any_port)));
            let hsm_runs = hsm_runs.map_err(|source| DevError::Run { folder: hsm.clone(), source })?;
            dials.push(dial(hsm_runs.address, server)?);
            running.push(hsm_runs);
        }
        Ok(Self { config, dials, hsms: Some(Hsms { threads, running }), beacon: None })
    }

    fn light_beacon(&mut self, folder: &Path) -> Result<(), DevError> {
        let path = folder.join(BEACON);
        let running = self.hsms.iter().flat_map(|hsms| &hsms.running);
        let sockets: Vec<_> = running.map(|hsm| hsm.address.to_string()).collect();
        let failed = |source| DevError::Beacon { path: path.clone(), source };
        let written = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        serde_json::to_writer(&written, &sockets).map_err(|error| failed(error.into()))?;
        // In one step, so that nobody reads half of it; readable by its owner only, as temporary files are.
        written.persist(&path).map_err(|error| failed(error.error))?;
        self.beacon = Some(path);
        Ok(())
    }
}

/// How a program reaches an HSM whose certificate it has at hand.
fn dial(socket: SocketAddr, server: &ServerConfig) -> Result<Dial, DevError> {
    let owner = Owner::Known(Anchor::load(server.owner_cert_path())?);
    Ok(Dial { address: Address::Socket(socket), owner, ..Dial::new(server)? })
}

fn is_absent_or_empty(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}
