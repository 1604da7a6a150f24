//! What all connections of an HSM share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::engine::Engine;
use super::requests::Requests;
use super::strangers::Strangers;
use super::throttle::Throttle;
use super::worker::Worker;
use crate::hsmd::following::Part;
use crate::wire::Limits;

/// What all connections of an HSM share.
#[expect(missing_docs, reason = "the types say it")]
pub struct Shared {
    pub hsm_id: String,
    /// Has the cluster's certificate and key.
    pub tls: TlsAcceptor,
    pub engine: Engine,
    pub worker: Worker,
    pub limits: Limits,
    /// One permit for each connection.
    pub connections: Arc<Semaphore>,
    pub max_connections: usize,
    pub strangers: Arc<Strangers>,
    /// How long a connection may go without a login.
    pub without_login: Duration,
    /// How long a session with a login may be idle.
    pub max_idle: Option<Duration>,
    /// For what clients do wrong, as anyone can.
    pub troubles: Throttle,
    pub requests: Requests,
    pub part: Part,
}
