//! `hsmd service`: opens the account of a folder, and answers for it until a signal.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::account::{self, Account, OpenError};
use super::control::Control;
use super::front::Front;
use super::front::gate::credentials::{Credentials, CredentialsError};
use super::front::gate::{Entry, Gate};
use super::front::limits::Limits;
use super::front::listening::Listening;
use super::shapes::names::Region;
use crate::files::without_number;
use crate::hsmd::process;
use crate::hsmd::watching::notify;

/// The options of `hsmd service`.
pub struct Options {
    /// Where the API is served.
    pub listen: SocketAddr,
    /// Whose calls are answered; everybody's if there is no file, which only a loopback address allows.
    pub credentials: Option<PathBuf>,
    /// Of calls without a signature.
    pub default_region: Region,
    /// How the account is opened.
    pub account: account::Options,
}

/// Why the service ended early.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum ServiceError {
    #[error("--listen {0}: other machines can reach this address, so --credentials is required")]
    Unguarded(SocketAddr),
    #[error("--credentials: {0}")]
    Credentials(#[from] CredentialsError),
    #[error("--listen: cannot listen on {0}: {error}", error = without_number(.1))]
    Listen(SocketAddr, io::Error),
    #[error(transparent)]
    Account(#[from] OpenError),
    #[error("signals: {error}", error = without_number(.0))]
    Signals(io::Error),
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
///
/// If the folder, the address or the credentials cannot be used. Then no HSM is left running.
pub async fn run(dir: &Path, options: Options) -> Result<(), ServiceError> {
    let Options { listen, credentials, default_region, account } = options;
    let entry = entry(listen, credentials.as_deref())?;
    process::protect_memory();
    process::allow_all_files();
    // Before anything is started, so that a signal during the start stops the HSMs in order, too.
    let mut signals = Signals::listen()?;
    // Bound before the HSMs start, which takes time: a client waits instead of being refused.
    let listening = Listening::on(listen).map_err(|error| ServiceError::Listen(listen, error))?;
    let account = Account::open(dir, account).await?;
    let stop = CancellationToken::new();
    let control = Control::listen(dir, account.clone(), stop.clone());
    let front = Front::new(account.clone(), Gate::new(entry, default_region), Limits::default());
    tracing::info!(address = %listening.address, "listening");
    notify::ready_at(listening.address);
    tracing::info!("ready");
    let serving = tokio::spawn(listening.serve(front, stop.clone()));
    signals.next().await;
    notify::stopping();
    tracing::info!("stopping");
    stop.cancel();
    // A panic has been reported already.
    let _ = serving.await;
    let _ = control.await;
    account.close().await;
    Ok(())
}

fn entry(listen: SocketAddr, credentials: Option<&Path>) -> Result<Entry, ServiceError> {
    let Some(file) = credentials else {
        if !listen.ip().to_canonical().is_loopback() {
            return Err(ServiceError::Unguarded(listen));
        }
        tracing::warn!("any credentials are taken, and none are needed: signatures are not verified");
        return Ok(Entry::Everybody);
    };
    let credentials = Credentials::read(file)?;
    tracing::info!(access_keys = credentials.len(), "signatures are verified");
    Ok(Entry::Owners(credentials))
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self, ServiceError> {
        let to = |kind| signal(kind).map_err(ServiceError::Signals);
        Ok(Self { terminate: to(SignalKind::terminate())?, interrupt: to(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! { _ = self.terminate.recv() => {}, _ = self.interrupt.recv() => {} }
    }
}
