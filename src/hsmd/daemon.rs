//! `hsmd run`: serves every HSM of a folder until a signal.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::faults::{self, DirectError, Directed, Direction, StartError};
use super::keeping::folder::{self, FolderError};
use super::process::{self, TooFewFiles};
use super::serving::run::{RunError, Running};
use super::watching::metrics::MetricsServer;
use super::watching::notify;
use super::watching::probe::Probe;
use crate::files::without_number;

/// The options of `hsmd run`.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where the one HSM listens, instead of the address in its settings.
    pub listen: Option<SocketAddr>,
    /// Where metrics are served, if at all.
    pub metrics: Option<SocketAddr>,
    /// What goes wrong on purpose.
    pub faults: Vec<Direction>,
}

/// Why the daemon ended early.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum DaemonError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("{dir}: --listen is for one HSM, this is a cluster of {1}", dir = .0.display())]
    OneHsmOnly(PathBuf, usize),
    #[error("{folder}: {1}", folder = .0.display())]
    Hsm(PathBuf, RunError),
    #[error("--metrics: cannot listen on {0}: {error}", error = without_number(.1))]
    Metrics(SocketAddr, io::Error),
    #[error("{folder}: {1}", folder = .0.display())]
    Behind(PathBuf, StartError),
    #[error("--fault {0}: {1}")]
    Fault(String, DirectError),
    #[error("{folder}: --fault is for HSMs without client_ca", folder = .0.display())]
    ClientCa(PathBuf),
    #[error(transparent)]
    Files(#[from] TooFewFiles),
    #[error("signals: {error}", error = without_number(.0))]
    Signals(io::Error),
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
///
/// If the folder, an address or one of the HSMs cannot be used. Then none is left running.
pub async fn run(dir: &Path, options: Options) -> Result<(), DaemonError> {
    let folders = folder::hsm_folders(dir)?;
    if options.listen.is_some() && folders.len() > 1 {
        return Err(DaemonError::OneHsmOnly(dir.to_owned(), folders.len()));
    }
    process::protect_memory();
    allow_files(&folders)?;
    // Before anything is started, so that a signal during the start stops the HSMs in order, too.
    let listen_to = |kind| signal(kind).map_err(DaemonError::Signals);
    let (mut terminate, mut interrupt) =
        (listen_to(SignalKind::terminate())?, listen_to(SignalKind::interrupt())?);
    let metrics = listen_for_metrics(options.metrics).await?;
    let (running, directed) = start_all(&folders, &options).await?;
    // Relays, which let HSMs fail on purpose, are no members.
    if directed.is_empty() {
        running.iter().for_each(Running::follow_keys);
    }
    let stop = CancellationToken::new();
    observe(metrics, &running, &stop);
    notify::ready(running.len());
    tracing::info!("ready");
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    notify::stopping();
    tracing::info!("stopping");
    stop.cancel();
    drop(directed);
    stop_all(running).await;
    Ok(())
}

fn allow_files(folders: &[PathBuf]) -> Result<(), DaemonError> {
    let settings = folders.iter().map(|folder| folder::read_settings(folder));
    let connections = settings.map(|settings| Ok(settings?.max_connections));
    Ok(process::allow_files(connections.collect::<Result<Vec<u32>, FolderError>>()?)?)
}

async fn listen_for_metrics(address: Option<SocketAddr>) -> Result<Option<MetricsServer>, DaemonError> {
    let Some(address) = address else { return Ok(None) };
    let endpoint = MetricsServer::listen(address).await;
    endpoint.map(Some).map_err(|error| DaemonError::Metrics(address, error))
}

async fn start_all(
    folders: &[PathBuf],
    options: &Options,
) -> Result<(Vec<Running>, Vec<Directed>), DaemonError> {
    let (mut running, mut directed) = (Vec::new(), Vec::new());
    let mut started = Ok(());
    for folder in folders {
        started = start(folder, options, &mut running, &mut directed).await;
        if started.is_err() {
            break;
        }
    }
    if started.is_ok() {
        started = direct_all(&directed, &options.faults).await;
    }
    match started {
        Ok(()) => Ok((running, directed)),
        Err(error) => {
            stop_all(running).await;
            Err(error)
        }
    }
}

async fn direct_all(directed: &[Directed], directions: &[Direction]) -> Result<(), DaemonError> {
    for direction in directions {
        tracing::warn!("FAULT ON PURPOSE: {direction}");
        let obeyed = faults::obey(directed, direction).await;
        obeyed.map_err(|error| DaemonError::Fault(direction.to_string(), error))?;
    }
    Ok(())
}

async fn start(
    folder: &Path,
    options: &Options,
    running: &mut Vec<Running>,
    directed: &mut Vec<Directed>,
) -> Result<(), DaemonError> {
    let (hsm, address) = if options.faults.is_empty() {
        let hsm = Running::start(folder, options.listen).await.map_err(|error| failed(folder, error))?;
        let address = hsm.address;
        (hsm, address)
    } else {
        let settings = folder::read_settings(folder)?;
        if settings.client_ca.is_some() {
            // A relay has no client certificate to show to the HSM.
            return Err(DaemonError::ClientCa(folder.to_owned()));
        }
        let listen = options.listen.unwrap_or(settings.listen);
        let (hsm, front) = Directed::start(folder, listen).await.map_err(|error| match error {
            StartError::Hsm(error) => failed(folder, error),
            StartError::Relay(_) => DaemonError::Behind(folder.to_owned(), error),
        })?;
        let address = front.relay.address;
        directed.push(front);
        (hsm, address)
    };
    tracing::info!(hsm_id = %hsm.hsm_id, %address, "listening");
    running.push(hsm);
    Ok(())
}

fn failed(folder: &Path, error: RunError) -> DaemonError {
    match error {
        RunError::Folder(error) => error.into(),
        error => DaemonError::Hsm(folder.to_owned(), error),
    }
}

/// Starts the metrics endpoint and the watchdog, which watch the HSMs until `stop`.
fn observe(metrics: Option<MetricsServer>, running: &[Running], stop: &CancellationToken) {
    let hsms: Vec<Probe> = running.iter().map(Probe::of).collect();
    if let Some(endpoint) = metrics {
        tracing::info!(address = %endpoint.address, "metrics");
        tokio::spawn(endpoint.serve(hsms.clone(), stop.clone()));
    }
    let watchdog = notify::keep_watchdog(hsms);
    tokio::spawn(stop.clone().run_until_cancelled_owned(watchdog));
}

async fn stop_all(running: Vec<Running>) {
    let stopping: Vec<_> = running.into_iter().map(|hsm| tokio::spawn(hsm.stop())).collect();
    for stopped in stopping {
        // A panic has been reported already.
        let _ = stopped.await;
    }
}
