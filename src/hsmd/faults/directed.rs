//! An HSM behind a relay, which does what it is told.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Weak;

use super::{Direction, Relay, RelayError, What};
use crate::hsmd::serving::clock::Clock;
use crate::hsmd::serving::run::{RunError, Running, lose};
use crate::hsmd::serving::shared::Shared;
use crate::protocol::Refusal;

/// What stands between clients and an HSM.
pub struct Directed {
    /// What clients connect to. The HSM itself listens where only its relay looks for it.
    pub relay: Relay,
    clock: Clock,
    hsm: Weak<Shared>,
}

/// Why an HSM does not run behind a relay.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The HSM does not start.
    #[error(transparent)]
    Hsm(#[from] RunError),
    /// The relay does not start.
    #[error(transparent)]
    Relay(#[from] RelayError),
}

/// Why an HSM does not do what it is told.
#[derive(Debug, thiserror::Error)]
pub enum DirectError {
    /// The servers are numbered from 0.
    #[error("there is no server {0}")]
    NoServer(usize),
    /// Only the program that runs the HSMs can let them fail.
    #[error("the HSMs run in another program")]
    Elsewhere,
    /// It cannot listen again.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// It has no such user or key, or the user owns keys.
    #[error("{}", .0.text())]
    Refused(Refusal),
}

/// Has a fault happen to one of the servers, or to all.
///
/// # Errors
///
/// If there is no such server, or it cannot do it.
pub async fn obey(
    servers: &[Directed],
    Direction { server, what, .. }: &Direction,
) -> Result<(), DirectError> {
    let servers = match server {
        None => servers,
        Some(number) => servers.get(*number..=*number).ok_or(DirectError::NoServer(*number))?,
    };
    for directed in servers {
        directed.obey(what).await?;
    }
    Ok(())
}

impl Directed {
    /// Opens a folder, and serves its HSM behind a relay that listens on an address.
    ///
    /// # Errors
    ///
    /// If one of the two does not start.
    pub async fn start(folder: &Path, listen: SocketAddr) -> Result<(Running, Self), StartError> {
        let clock = Clock::default();
        let behind = SocketAddr::new(listen.ip(), 0);
        let running = Running::start_at(folder, Some(behind), clock.clone()).await?;
        let relay = Relay::start(&running, listen)?;
        let hsm = Weak::clone(&running.shared);
        Ok((running, Self { relay, clock, hsm }))
    }

    async fn obey(&self, what: &What) -> Result<(), DirectError> {
        match what {
            What::Door(door) => self.relay.set_door(*door).await?,
            What::Fault(calls, fault) => self.relay.fail_after(*calls, *fault),
            What::Restarts => self.relay.hang_up().await,
            What::Lacks(lost) => lose(&self.hsm, lost.clone()).await.map_err(DirectError::Refused)?,
            What::ClockAhead(time) => self.clock.advance(*time),
        }
        Ok(())
    }
}
