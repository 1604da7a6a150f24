//! Runs the HSM of a folder.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::TLS13;
use rustls::{RootCertStore, ServerConfig};
use tokio::sync::Semaphore;
use tokio::task;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::attester::Attester;
use super::clock::Clock;
use super::control::Control;
use super::engine::Engine;
use super::requests::Requests;
use super::server;
use super::shared::Shared;
use super::strangers::Strangers;
use super::throttle::Throttle;
use super::worker::Worker;
use crate::files::without_number;
use crate::hsm::{Certificates, Lost};
use crate::hsmd::following::{Part, go_round};
use crate::hsmd::keeping::folder::{CA, CERTIFICATE, Folder, FolderError, HARDWARE_SIGNED, KEY};
use crate::hsmd::keeping::password::{BadCost, Hasher};
use crate::hsmd::keeping::settings::Settings;
use crate::hsmd::keeping::store::StoreError;
use crate::protocol::Refusal;
use crate::protocol::certificate::Certificate;
use crate::protocol::device::Member;
use crate::wire::Limits;
use crate::wire::anchor::Anchor;
use crate::wire::certificate::{self, Distrust};
use crate::wire::pem_file::{self, PemError};
use crate::wire::verifier::ClientsAndMembers;

/// An HSM that serves until it is stopped.
#[expect(missing_docs, reason = "the names say it")]
pub struct Running {
    pub hsm_id: String,
    /// Where it listens; with the port that the system chose, if that was left open.
    pub address: SocketAddr,
    /// Weak, because an HSM stops when the last strong reference is dropped.
    pub(in crate::hsmd) shared: Weak<Shared>,
    stop: CancellationToken,
    serving: task::JoinHandle<()>,
    /// On other addresses.
    serving_elsewhere: Vec<task::JoinHandle<()>>,
    engine: task::JoinHandle<()>,
    /// Without it, if no control socket could be made.
    control: Option<task::JoinHandle<()>>,
}

/// Why an HSM does not run.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum RunError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Cost(#[from] BadCost),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot listen on {0}: {error}", error = without_number(.1))]
    Listen(SocketAddr, io::Error),
    #[error("{CA} does not vouch for {CERTIFICATE}: {0}")]
    NotEndorsed(Distrust),
    #[error("{KEY} is not the key of {0}")]
    OtherKey(&'static str),
    #[error("client_ca: {0}")]
    ClientCa(String),
    #[error("client_ca: {0}")]
    ClientCaFile(#[from] PemError),
    /// rustls does not accept the key or a CA certificate.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl Running {
    /// Opens a folder and serves its HSM, on the address in its settings or on another.
    ///
    /// # Errors
    ///
    /// If the folder, the certificate or the address cannot be used.
    pub async fn start(folder: &Path, listen: Option<SocketAddr>) -> Result<Self, RunError> {
        Self::start_at(folder, listen, Clock::default()).await
    }

    /// As [`start`](Self::start), with another clock.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn start_at(folder: &Path, listen: Option<SocketAddr>, clock: Clock) -> Result<Self, RunError> {
        let Folder { settings, store, hsm, key, certificates, vault } = Folder::open(folder)?;
        let address = listen.unwrap_or(settings.listen);
        let client_ca = settings.client_ca.as_ref().map(|file| folder.join(file));
        let tls = server_config(&key, &certificates, client_ca.as_deref())?;
        let hasher = Hasher::new(settings.password_hash)?;
        let unusable = |error| RunError::Listen(address, error);
        let listener = server::listen(address).map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        let hsm_id = hsm.identity().hsm_id.clone();
        if certificates.owner.is_none() {
            tracing::warn!(%hsm_id, "not initialized: only public requests are answered");
        }
        if hsm.is_every_officer_locked_out() {
            tracing::warn!(%hsm_id, "every CO is locked out: nobody can manage users; see `hsmd unlock`");
        }
        let Settings { members, max_connections, without_login, max_idle_seconds, .. } = settings;
        let attester = Attester::new(&key)?;
        let interval = settings.follow_keys_seconds.map(|seconds| Duration::from_secs(seconds.into()));
        let part = Part::new(hsm.identity(), &members, interval, &certificates, attester.clone());
        let (engine, ended) = Engine::start(store, hsm, members, max_connections, certificates, clock)?;
        let max_connections = usize::try_from(max_connections).unwrap_or(1);
        let shared = Arc::new(Shared {
            hsm_id: hsm_id.clone(),
            tls: TlsAcceptor::from(Arc::new(tls)),
            engine,
            worker: Worker::new(hasher, vault, attester),
            limits: Limits::default(),
            connections: Arc::new(Semaphore::new(max_connections)),
            max_connections,
            strangers: Arc::new(Strangers::new(without_login)),
            without_login: Duration::from_secs(without_login.seconds.into()),
            max_idle: max_idle_seconds.map(|seconds| Duration::from_secs(seconds.into())),
            troubles: Throttle::default(),
            requests: Requests::default(),
            part,
        });
        let weak = Arc::downgrade(&shared);
        let stop = CancellationToken::new();
        let control = match Control::listen(folder) {
            Ok(control) => Some(tokio::spawn(control.serve(shared.engine.clone(), stop.clone()))),
            // For one, a socket's path is limited to about 100 bytes. The HSM serves all the same.
            Err(error) => {
                tracing::warn!(%hsm_id, %error, "no backup, audit or unlock of this HSM while it runs");
                None
            }
        };
        let serving = tokio::spawn(server::serve(listener, shared, stop.clone()));
        let serving_elsewhere = Vec::new();
        Ok(Self { hsm_id, address, shared: weak, stop, serving, serving_elsewhere, engine: ended, control })
    }

    /// Serves on another address, too.
    ///
    /// # Errors
    ///
    /// If the address cannot be used.
    pub fn listen_also(&mut self, address: SocketAddr) -> Result<(), RunError> {
        let listener = server::listen(address).map_err(|error| RunError::Listen(address, error))?;
        if let Some(shared) = self.shared.upgrade() {
            let serving = server::serve(listener, shared, self.stop.clone());
            self.serving_elsewhere.push(tokio::spawn(serving));
        }
        Ok(())
    }

    /// Whether it still serves: neither of its tasks has ended, as by a panic.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.serving.is_finished() && !self.engine.is_finished()
    }

    /// Its engine; `None` if it is stopping.
    #[must_use]
    pub fn engine(&self) -> Option<Engine> {
        self.shared.upgrade().map(|shared| shared.engine.clone())
    }

    /// As [`follow_keys`](Self::follow_keys), for HSMs that were not made together: all with this name are of one cluster.
    pub fn follow_keys_in(&self, cluster: &str) {
        if let Some(shared) = self.shared.upgrade() {
            shared.part.set_name(cluster);
        }
        self.follow_keys();
    }

    /// Other HSMs have joined its cluster, or left it: from now on it asks those for keys, and no others.
    pub fn set_members(&self, members: &[Member]) {
        if let Some(shared) = self.shared.upgrade() {
            shared.part.set_members(members);
        }
    }

    /// Ends it as a fault would, without finishing anything.
    pub fn abort(&self) {
        self.serving.abort();
        self.serving_elsewhere.iter().for_each(task::JoinHandle::abort);
        self.engine.abort();
        self.stop.cancel();
    }

    /// Loses a user or a key, durably, as if somebody had deleted it on this HSM alone.
    ///
    /// # Errors
    ///
    /// If the HSM does not have it, or has stopped.
    pub async fn lose(&self, lost: Lost) -> Result<(), Refusal> {
        lose(&self.shared, lost).await
    }

    /// Asks the other HSMs of the cluster for keys that this one missed, until it stops. They are asked at the addresses in
    /// its settings, so this is only for an HSM that its cluster's other HSMs reach where they say.
    pub fn follow_keys(&self) {
        if let Some(shared) = self.shared.upgrade() {
            tokio::spawn(self.stop.clone().run_until_cancelled_owned(go_round(shared)));
        }
    }

    /// Accepts no more connections, finishes the calls that have begun, and closes the store.
    pub async fn stop(self) {
        self.stop.cancel();
        // First the connections, as they hold the engine open. A panic in either has been reported already.
        let _ = self.serving.await;
        for serving in self.serving_elsewhere {
            let _ = serving.await;
        }
        let _ = self.engine.await;
        // The control socket removes its file when it is dropped: before the next start makes another.
        if let Some(control) = self.control {
            let _ = control.await;
        }
    }
}

/// As [`Running::lose`].
pub(in crate::hsmd) async fn lose(hsm: &Weak<Shared>, lost: Lost) -> Result<(), Refusal> {
    let shared = hsm.upgrade().ok_or(Refusal::ShuttingDown)?;
    shared.engine.by_owner(move |hsm, _| hsm.lose(&lost)).await
}

/// TLS 1.3 with the cluster's certificate. rustls cannot parse one of X.509 version 1, so it is given the certificate
/// by a resolver, and what rustls would check itself, that certificate and key belong together, is checked here.
fn server_config(
    key: &PrivateKeyDer<'_>,
    certificates: &Certificates,
    client_ca: Option<&Path>,
) -> Result<ServerConfig, RunError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chain = chain(certificates)?;
    if !chain.first().is_some_and(|leaf| certificate::is_about(leaf, key)) {
        let leaf = if certificates.owner.is_some() { CERTIFICATE } else { HARDWARE_SIGNED };
        return Err(RunError::OtherKey(leaf));
    }
    let key = provider.key_provider.load_private_key(key.clone_key())?;
    let config =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&[&TLS13])?;
    let config = match client_ca {
        None => config.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in pem_file::load_chain(file)? {
                roots.add(certificate)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            let clients = verifier.map_err(|error| RunError::ClientCa(error.to_string()))?;
            config.with_client_cert_verifier(match chain.first() {
                Some(leaf) if certificates.owner.is_some() => {
                    Arc::new(ClientsAndMembers { clients, cluster: leaf.clone() })
                }
                Some(_) | None => clients,
            })
        }
    };
    let mut config =
        config.with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key))));
    // Without tickets there is no resumption, in which the console would see no certificate to check.
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// The certificates that the HSM presents: the owner's for the cluster's key, or the maker's chain before that.
fn chain(certificates: &Certificates) -> Result<Vec<CertificateDer<'static>>, RunError> {
    let der = |certificate: &Certificate| CertificateDer::from(certificate.0.clone());
    let Some(owner) = &certificates.owner else {
        return Ok(vec![der(&certificates.cluster_by_hardware), der(&certificates.hardware)]);
    };
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    let anchor = Anchor::from_der(&owner.root.0, Path::new(CA)).map_err(FolderError::from)?;
    anchor.check(&owner.cluster.0, now).map_err(RunError::NotEndorsed)?;
    Ok(vec![der(&owner.cluster)])
}
