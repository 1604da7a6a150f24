//! Running the HSM of a folder.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Weak};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::TLS13;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::control::Control;
use super::engine::Engine;
use super::requests::Requests;
use super::server;
use super::shared::Shared;
use super::worker::Worker;
use crate::files::without_number;
use crate::hsm::Certificates;
use crate::hsmd::keeping::folder::{CA, CERTIFICATE, Folder, FolderError, HARDWARE_SIGNED, KEY};
use crate::hsmd::keeping::password::{BadCost, Hasher};
use crate::hsmd::keeping::store::StoreError;
use crate::protocol::certificate::Certificate;
use crate::wire::Limits;
use crate::wire::anchor::Anchor;
use crate::wire::certificate::{self, Distrust};
use crate::wire::pem_file::{self, PemError};

/// An HSM that answers on an address until it is stopped.
pub struct Running {
    /// Who it is.
    pub hsm_id: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// Gone once it has stopped: whoever looks at an HSM does not keep it alive.
    pub(in crate::hsmd) shared: Weak<Shared>,
    stop: CancellationToken,
    serving: task::JoinHandle<()>,
    engine: task::JoinHandle<()>,
}

/// Why an HSM does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Its folder is not as it should be.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Its settings' hash parameters are wrong.
    #[error(transparent)]
    Cost(#[from] BadCost),
    /// The start could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address is in use, or not this machine's.
    #[error("cannot listen on {0}: {error}", error = without_number(.1))]
    Listen(SocketAddr, io::Error),
    /// The owner's CA does not vouch for the cluster's certificate.
    #[error("cluster.crt is not one that customerCA.crt vouches for: {0}")]
    NotEndorsed(Distrust),
    /// The certificate is about another key.
    #[error("{KEY} is not the key of {0}")]
    OtherKey(&'static str),
    /// The CA for clients cannot be used.
    #[error("client_ca: {0}")]
    ClientCa(String),
    /// The CA for clients cannot be read.
    #[error("client_ca: {0}")]
    ClientCaFile(#[from] PemError),
    /// rustls takes the key or the settings not.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl Running {
    /// Opens a folder and serves its HSM, on the settings' address or another.
    ///
    /// # Errors
    ///
    /// If the folder, the certificate or the address cannot be used.
    pub async fn start(folder: &Path, listen: Option<SocketAddr>) -> Result<Self, RunError> {
        Self::start_at(folder, listen, Clock::default()).await
    }

    /// As [`start`](Self::start), by another clock than the system's.
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
        let listener = TcpListener::bind(address).await.map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        let hsm_id = hsm.identity().hsm_id.clone();
        if certificates.owner.is_none() {
            tracing::warn!(%hsm_id, "not initialized, answers public questions only");
        }
        let (engine, ended) = Engine::start(store, hsm, settings.members, certificates, clock)?;
        let max_connections = usize::try_from(settings.max_connections).unwrap_or(1);
        let shared = Arc::new(Shared {
            hsm_id: hsm_id.clone(),
            tls: TlsAcceptor::from(Arc::new(tls)),
            engine,
            worker: Worker::new(hasher, vault),
            limits: Limits::default(),
            connections: Arc::new(Semaphore::new(max_connections)),
            max_connections,
            requests: Requests::default(),
        });
        let weak = Arc::downgrade(&shared);
        let stop = CancellationToken::new();
        match Control::listen(folder) {
            Ok(control) => drop(tokio::spawn(control.serve(shared.engine.clone(), stop.clone()))),
            // Its path may be longer than a socket's may be.
            Err(error) => tracing::warn!(%hsm_id, %error, "no backups of this HSM while it runs"),
        }
        let serving = tokio::spawn(server::serve(listener, shared, stop.clone()));
        Ok(Self { hsm_id, address, shared: weak, stop, serving, engine: ended })
    }

    /// Takes no more connections, answers what was asked, and closes the store.
    pub async fn stop(self) {
        self.stop.cancel();
        // A panic in either has been reported where it happened.
        let _ = self.serving.await;
        let _ = self.engine.await;
    }
}

/// TLS 1.3 with the cluster's certificate, which rustls could not parse if it is of version 1: the checks that
/// rustls makes of its own configuration are made here.
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
            config.with_client_cert_verifier(verifier.map_err(|error| RunError::ClientCa(error.to_string()))?)
        }
    };
    let mut config =
        config.with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key))));
    // A resumed session would skip the console's check.
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// What the HSM proves itself with: the owner's word for the cluster's key, or before that, the maker's.
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
