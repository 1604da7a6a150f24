//! Stands between clients and an HSM, with the cluster's key, and fails when it is told to.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::TLS13;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::connection::serve;
use super::fault::{Door, Fault};
use super::plan::{Plan, STALL};
use crate::files::without_number;
use crate::hsmd::keeping::folder::{CERTIFICATE, KEY};
use crate::hsmd::serving::run::Running;
use crate::hsmd::serving::server;
use crate::wire::identity::TlsIdentity;
use crate::wire::pem_file::PemError;

/// A relay, until it is dropped.
pub struct Relay {
    /// Where it listens.
    pub address: SocketAddr,
    plan: Arc<Plan>,
    tls: TlsAcceptor,
    wrong_tls: TlsAcceptor,
    /// Keeps the port while nobody listens on it.
    _port: TcpSocket,
}

/// Why there is no relay.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The address is taken, or the system does not allow it.
    #[error("cannot listen on {0}: {error}", error = without_number(.1))]
    Listen(SocketAddr, io::Error),
    /// The HSM has stopped.
    #[error("the HSM has stopped")]
    Stopped,
    /// No certificate could be made that the owner's CA does not know.
    #[error("no certificate of another key: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The cluster's certificate or key cannot be read.
    #[error(transparent)]
    Identity(#[from] PemError),
    /// rustls does not accept it.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl Relay {
    /// Listens on an address for an HSM that listens elsewhere.
    ///
    /// # Errors
    ///
    /// If the address is taken, or the HSM has stopped.
    pub fn start(hsm: &Running, listen: SocketAddr) -> Result<Self, RelayError> {
        let tls = hsm.shared.upgrade().ok_or(RelayError::Stopped)?.tls.clone();
        Self::with(tls, hsm.address, listen)
    }

    /// As [`start`](Self::start), for an HSM that another program runs.
    ///
    /// # Errors
    ///
    /// If the address is taken, or the cluster's certificate or key in the HSM's folder cannot be used.
    pub fn start_for(folder: &Path, hsm: SocketAddr, listen: SocketAddr) -> Result<Self, RelayError> {
        let TlsIdentity { chain, key } = TlsIdentity::load(&folder.join(CERTIFICATE), &folder.join(KEY))?;
        Self::with(acceptor(chain, key)?, hsm, listen)
    }

    fn with(tls: TlsAcceptor, hsm: SocketAddr, listen: SocketAddr) -> Result<Self, RelayError> {
        let unusable = |error| RelayError::Listen(listen, error);
        let port =
            if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(unusable)?;
        port.set_reuseaddr(true).map_err(unusable)?;
        port.bind(listen).map_err(unusable)?;
        let address = port.local_addr().map_err(unusable)?;
        let plan = Arc::new(Plan::new(hsm));
        let relay = Self { address, plan, tls, wrong_tls: another()?, _port: port };
        relay.listen()?;
        Ok(relay)
    }

    /// Answers so many calls, then fails once.
    pub fn fail_after(&self, calls: usize, fault: Fault) {
        self.plan.state().fault = Some((calls, fault));
    }

    /// How later connections begin.
    ///
    /// # Errors
    ///
    /// If it cannot listen again.
    pub async fn set_door(&self, door: Door) -> Result<(), RelayError> {
        if door == Door::Refuses {
            self.plan.close().await;
            return Ok(());
        }
        let _turn = self.plan.turn.lock().await;
        self.plan.state().door = door;
        self.listen()
    }

    /// Ends all connections, and waits until the HSM and its clients can have noticed.
    pub async fn hang_up(&self) {
        let hang_up = std::mem::take(&mut self.plan.state().hang_up);
        hang_up.cancel();
        self.emptied().await;
    }

    /// Waits until all that was relayed has ended, and the clients' runtime has noticed.
    pub async fn emptied(&self) {
        while self.plan.open.load(Ordering::SeqCst) > 0 {
            sleep(Duration::from_millis(5)).await;
        }
        // It notices closed connections in their order, and this one is closed last.
        let last = async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let mut last = TcpStream::connect(listener.local_addr()?).await?;
            drop(listener.accept().await?);
            last.read(&mut [0]).await
        };
        // Without it, a client notices a little later.
        let _ = last.await;
    }

    /// Where the HSM listens from now on.
    pub fn lead_to(&self, hsm: SocketAddr) {
        self.plan.state().hsm = hsm;
    }

    /// Does nothing if it listens.
    fn listen(&self) -> Result<(), RelayError> {
        let mut state = self.plan.state();
        if state.listening.is_some() {
            return Ok(());
        }
        let listener =
            server::listen(self.address).map_err(|error| RelayError::Listen(self.address, error))?;
        let stop = CancellationToken::new();
        let accepting = accept_all(
            listener,
            Arc::clone(&self.plan),
            (self.tls.clone(), self.wrong_tls.clone()),
            stop.clone(),
        );
        state.listening = Some((stop, tokio::spawn(accepting)));
        Ok(())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let state = self.plan.state();
        if let Some((stop, _)) = &state.listening {
            stop.cancel();
        }
        state.hang_up.cancel();
    }
}

async fn accept_all(
    listener: TcpListener,
    plan: Arc<Plan>,
    (tls, wrong_tls): (TlsAcceptor, TlsAcceptor),
    stop: CancellationToken,
) {
    while let Some((tcp, _)) = server::accept(&listener, &stop).await {
        let (door, hang_up) = {
            let state = plan.state();
            (state.door, state.hang_up.clone())
        };
        let connection = connection(tcp, door, Arc::clone(&plan), (tls.clone(), wrong_tls.clone()));
        tokio::spawn(hang_up.run_until_cancelled_owned(connection));
    }
    server::close(listener);
}

async fn connection(
    tcp: TcpStream,
    door: Door,
    plan: Arc<Plan>,
    (tls, wrong_tls): (TlsAcceptor, TlsAcceptor),
) {
    match door {
        Door::Open => drop(serve(tcp, tls, &plan).await),
        Door::WrongCertificate => drop(serve(tcp, wrong_tls, &plan).await),
        Door::StallsInHandshake => sleep(STALL).await,
        Door::SpeaksNoTls => speak_ssh(tcp).await,
        // It came just before nobody listened any more.
        Door::Refuses => {}
    }
}

async fn speak_ssh(mut tcp: TcpStream) {
    // Whoever has gone misses nothing.
    let _ = tcp.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n").await;
    sleep(Duration::from_secs(1)).await;
}

/// TLS with a key that nobody vouches for.
fn another() -> Result<TlsAcceptor, RelayError> {
    let key = rcgen::KeyPair::generate()?;
    let certificate = rcgen::CertificateParams::new(Vec::new())?.self_signed(&key)?;
    acceptor(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
}

fn acceptor(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<TlsAcceptor, RelayError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let certified = CertifiedKey::new(chain, provider.key_provider.load_private_key(key)?);
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    Ok(TlsAcceptor::from(Arc::new(config)))
}
