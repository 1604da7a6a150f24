//! A development cluster: hsmd's HSMs inside another program, on ephemeral ports of the loopback.
//!
//! The HSMs have the names, addresses and ids of a cluster made by `hsmd cluster init`, the same each time, so
//! that two sessions print the same; only the sockets differ, so that two can run at once.
//!
//! While it runs, a cluster that is kept in a folder has a `dev.json` there with the addresses of its sockets, so that
//! another program can join it.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::thread;

use tokio::runtime::Runtime;

use crate::cluster::{Dial, Opened, Owner};
use crate::config::{Config, ConfigError, ServerConfig};
use crate::files::without_number;
use crate::hsmd::faults::{self, DirectError, Directed, Direction, StartError};
use crate::hsmd::keeping::folder::{self, CONFIG, FolderError};
use crate::hsmd::keeping::settings::HashCost;
use crate::hsmd::making::init::{self, InitError, Names, NewCluster};
use crate::hsmd::making::pki::Vouching;
use crate::hsmd::serving::run::Running;
use crate::protocol::message::PORT;
use crate::wire::Limits;
use crate::wire::anchor::{Anchor, AnchorError};
use crate::wire::link::Address;
use crate::wire::pem_file::PemError;

/// A cluster that runs until it is stopped.
pub struct Dev {
    /// The configuration that names the HSMs.
    pub config: Config,
    /// How to connect to the HSMs.
    pub dials: Vec<Dial>,
    hsms: Option<Hsms>,
    /// The `dev.json` to remove at the end.
    beacon: Option<PathBuf>,
}

/// HSMs with threads of their own: they answer other programs while this one waits at its prompt.
struct Hsms {
    threads: Runtime,
    running: Vec<Running>,
    /// In front of the HSMs, if they fail on purpose.
    directed: Vec<Directed>,
}

impl Faults {
    /// For those of a command line.
    #[must_use]
    pub fn of(directions: &[Direction]) -> Self {
        if directions.is_empty() { Self::None } else { Self::OnPurpose }
    }
}

/// Whether the HSMs fail on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faults {
    /// They do not.
    None,
    /// They do what [`Dev::direct`] tells them.
    OnPurpose,
}

/// Why there is no development cluster.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// The cluster could not be made.
    #[error(transparent)]
    Init(#[from] InitError),
    /// The folder does not hold a cluster.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The HSM in this folder does not start.
    #[error("{folder}: {1}", folder = .0.display())]
    Run(PathBuf, StartError),
    /// The configuration in the folder cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The client certificate of the configuration cannot be used.
    #[error(transparent)]
    Identity(#[from] PemError),
    /// The cluster's CA certificate cannot be used.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// `dev.json` cannot be written.
    #[error("{path}: {error}", path = .0.display(), error = without_number(.1))]
    Beacon(PathBuf, io::Error),
    /// The system has no threads for the HSMs.
    #[error("no threads for the HSMs: {error}", error = without_number(.0))]
    Threads(io::Error),
    /// There is no place for temporary files.
    #[error("no temporary folder: {error}", error = without_number(.0))]
    Temporary(io::Error),
    /// A kept cluster has the size it was made with.
    #[error("{}: the cluster there has {found} HSMs, not {wanted}", folder.display())]
    #[expect(missing_docs, reason = "the names say it")]
    OtherSize { folder: PathBuf, found: usize, wanted: u32 },
}

/// The HSMs are named 127.0.1.1, 127.0.1.2 and so on.
const NET: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 0);

/// In a kept cluster's folder while it runs: the addresses of its HSMs' sockets, in order.
const BEACON: &str = "dev.json";

const DEFAULT_NODES: u32 = 3;

impl Dev {
    /// Starts a cluster of `nodes` HSMs, 3 by default: the one in `folder`, which is made there if the folder is missing or
    /// empty; or without a folder, one that is gone when this program ends.
    ///
    /// # Errors
    ///
    /// If it cannot be made or started.
    pub fn start(
        nodes: Option<u32>,
        folder: Option<&Path>,
        password_hash: HashCost,
        faults: Faults,
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
                let mut dev = Self::run(folder, nodes, faults)?;
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
                // Removed at once: the HSMs have their files open, and nothing stays however this program ends.
                Self::run(&folder, nodes, faults).inspect(|_| drop(temporary))
            }
        }
    }

    /// The cluster that another program runs from this folder; `None` if there is no such program.
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
        // A killed program leaves its beacon, and by now its ports may be another program's: only an HSM of this cluster
        // can prove the cluster's key.
        let Some(first) = dials.first() else { return Ok(None) };
        let limits = Limits::default();
        let Opened::Trusted(link) = first.open(&limits).await else { return Ok(None) };
        link.close(&limits).await;
        Ok(Some(Self { config, dials, hsms: None, beacon: None }))
    }

    /// Has faults happen, and says so loudly by `report`.
    ///
    /// # Errors
    ///
    /// Which of them cannot happen, and why.
    pub fn direct_all(&self, faults: &[Direction], report: impl Fn(&str)) -> Result<(), String> {
        for fault in faults {
            self.direct(fault).map_err(|error| format!("--fault {fault}: {error}"))?;
            report(&format!("FAULT ON PURPOSE: {fault}"));
        }
        Ok(())
    }

    /// Has a fault happen.
    ///
    /// # Errors
    ///
    /// If there is no such server, or it cannot do it.
    pub fn direct(&self, direction: &Direction) -> Result<(), DirectError> {
        let Some(Hsms { threads, directed, .. }) = &self.hsms else { return Err(DirectError::Elsewhere) };
        // This may be called while a command waits for the servers, in which no other runtime can be waited for.
        let obey = || threads.block_on(faults::obey(directed, direction));
        thread::scope(|scope| scope.spawn(obey).join()).unwrap_or(Ok(()))
    }

    /// Stops all HSMs. Every acknowledged change is stored.
    pub fn stop(self) {
        if let Some(beacon) = self.beacon {
            // If it stays, it does no harm: `join` finds nobody at the address.
            let _ = fs::remove_file(beacon);
        }
        if let Some(Hsms { threads, running, directed }) = self.hsms {
            drop(directed);
            threads.block_on(async {
                for hsm in running {
                    hsm.stop().await;
                }
            });
        }
    }

    fn run(folder: &Path, nodes: Option<u32>, faults: Faults) -> Result<Self, DevError> {
        let hsms = folder::hsm_folders(folder)?;
        if let Some(wanted) = nodes.filter(|wanted| usize::try_from(*wanted) != Ok(hsms.len())) {
            return Err(DevError::OtherSize { folder: folder.to_owned(), found: hsms.len(), wanted });
        }
        let config = Config::load(&folder.join(CONFIG))?;
        let threads = Runtime::new().map_err(DevError::Threads)?;
        let (mut running, mut directed, mut dials) = (Vec::new(), Vec::new(), Vec::new());
        for (hsm, server) in hsms.iter().zip(config.servers()) {
            let any_port = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
            let started = match faults {
                Faults::None => {
                    let started = threads.block_on(Running::start(hsm, Some(any_port)));
                    started.map(|running| (running, None)).map_err(StartError::from)
                }
                Faults::OnPurpose => {
                    let started = threads.block_on(Directed::start(hsm, any_port));
                    started.map(|(running, directed)| (running, Some(directed)))
                }
            };
            let (started, front) = started.map_err(|error| DevError::Run(hsm.clone(), error))?;
            dials.push(dial(front.as_ref().map_or(started.address, |front| front.relay.address), server)?);
            running.push(started);
            directed.extend(front);
        }
        Ok(Self { config, dials, hsms: Some(Hsms { threads, running, directed }), beacon: None })
    }

    fn light_beacon(&mut self, folder: &Path) -> Result<(), DevError> {
        let path = folder.join(BEACON);
        let socket = |dial: &Dial| match &dial.address {
            Address::Socket(socket) => Some(socket.to_string()),
            Address::Named(..) => None,
        };
        let sockets: Vec<_> = self.dials.iter().filter_map(socket).collect();
        let failed = |error| DevError::Beacon(path.clone(), error);
        let written = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        serde_json::to_writer(&written, &sockets).map_err(|error| failed(error.into()))?;
        // Renamed when complete, so that nobody reads half of it. A temporary file is 0600, and so is this.
        written.persist(&path).map_err(|error| failed(error.error))?;
        self.beacon = Some(path);
        Ok(())
    }
}

/// How to connect to an HSM at a socket of this machine. Its CA certificate is read now, as the folder may be gone later.
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
