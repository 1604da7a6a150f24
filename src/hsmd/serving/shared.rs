//! What all connections of an HSM share.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::engine::Engine;
use super::requests::Requests;
use super::worker::Worker;
use crate::wire::Limits;

/// What all connections of an HSM share.
pub struct Shared {
    /// To be told to clients.
    pub hsm_id: String,
    /// With the cluster's certificate.
    pub tls: TlsAcceptor,
    /// Decides.
    pub engine: Engine,
    /// Works on passwords and keys.
    pub worker: Worker,
    /// Of each phase.
    pub limits: Limits,
    /// Permits to be connected.
    pub connections: Arc<Semaphore>,
    /// How many there are at most.
    pub max_connections: usize,
    /// Counts those that were answered.
    pub requests: Requests,
}
