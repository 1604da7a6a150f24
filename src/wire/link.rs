//! A connection with no call under way.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use rustls::pki_types::{IpAddr, Ipv4Addr, ServerName};
use rustls::{AlertDescription, ClientConfig};
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificate::Distrust;
use super::frame::{self, Frames, Garbage, MAX_ANSWER, MAX_HELLO, frames};
use super::{Limits, TimedOut, verifier, within};
use crate::files::without_number;
use crate::protocol::message::{Hello, Response, VERSION, Welcome};

/// Where an HSM listens.
#[derive(Clone, Debug)]
pub enum Address {
    /// By host name or IP address; a name is looked up at each connection.
    Named(String, u16),
    /// By socket address, whatever the HSM is called.
    Socket(SocketAddr),
}

/// One HSM's TLS connection.
///
/// A call consumes it and gives it back only after a whole answer, so that a late answer is never taken for the
/// answer to the next call.
pub struct Link {
    /// Boxed, because it is kilobytes large and every call moves the link.
    frames: Box<Frames<TlsStream<TcpStream>>>,
    hsm_id: String,
}

/// Why no link was opened. Nothing happened on the HSM.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum OpenError {
    /// Connection refused, no route, unknown host, and the like.
    #[error("{}", without_number(.0))]
    Connect(io::Error),
    /// A phase took too long.
    #[error("Connection timed out ({0})")]
    TimedOut(#[from] TimedOut),
    /// The other end does not speak TLS 1.3.
    #[error("the TLS handshake failed ({0})")]
    Tls(String),
    /// The other end is not an HSM of the owner's cluster. The original's words.
    #[error("Certificate ERROR: [{0}]")]
    Distrust(Distrust),
    /// The HSM requires a client certificate, or another one.
    #[error("the server refused the client certificate ({0})")]
    ClientCertificate(String),
    #[error("the server closed the connection before it answered")]
    Closed,
    #[error("the server is not an HSM ({0})")]
    NotAnHsm(#[from] Garbage),
    #[error("the server speaks protocol version {0}, this program {VERSION}")]
    Version(u16),
}

/// Why a call has no answer. Whether the HSM carried it out is unknown.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum CallError {
    #[error(transparent)]
    TimedOut(#[from] TimedOut),
    #[error("the connection was lost before the answer")]
    Closed,
    #[error("the answer was {0}")]
    Garbage(#[from] Garbage),
}

impl Link {
    /// Connects, authenticates the HSM, and exchanges the first frames.
    ///
    /// # Errors
    ///
    /// Which phase failed, and how.
    pub async fn open(address: &Address, tls: Arc<ClientConfig>, limits: &Limits) -> Result<Self, OpenError> {
        Self::open_as(VERSION, address, tls, limits).await
    }

    /// As [`open`](Self::open), with another version in the hello.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn open_as(
        version: u16,
        address: &Address,
        tls: Arc<ClientConfig>,
        limits: &Limits,
    ) -> Result<Self, OpenError> {
        let tcp = within("connect", limits.connect, connect(address)).await?.map_err(OpenError::Connect)?;
        // A call is one small frame that waits for an answer: Nagle's algorithm would only delay it.
        tcp.set_nodelay(true).map_err(OpenError::Connect)?;
        // rustls requires a name; the verifier ignores it, as a certificate names a cluster and not a host.
        let name = ServerName::IpAddress(IpAddr::V4(Ipv4Addr::from([127, 0, 0, 1])));
        let handshake = TlsConnector::from(tls).connect(name, tcp);
        let tls =
            within("TLS handshake", limits.handshake, handshake).await?.map_err(|error| tls_error(&error))?;
        let mut frames = Box::new(frames(tls, MAX_HELLO));
        let hsm_id = within("hello", limits.hello, greet(&mut frames, version)).await??;
        frames.set_limit(MAX_ANSWER);
        Ok(Self { frames, hsm_id })
    }

    /// The id that the HSM gave, such as `hsm-udw0tkfg1ab`.
    #[must_use]
    pub fn hsm_id(&self) -> &str {
        &self.hsm_id
    }

    /// Whether the HSM has neither closed the connection nor sent anything unasked.
    pub fn is_idle(&mut self) -> bool {
        self.frames.next().now_or_never().is_none()
    }

    /// Sends an encoded [`Call`](crate::protocol::message::Call) and waits for its answer.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub async fn call(self, call: Bytes, limits: &Limits) -> Result<(Self, Response), CallError> {
        self.ask(call, limits).await
    }

    /// As [`call`](Self::call), with another kind of question and answer.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn ask<T: DeserializeOwned>(
        mut self,
        question: Bytes,
        limits: &Limits,
    ) -> Result<(Self, T), CallError> {
        let answer = within("call", limits.call, exchange(&mut self.frames, question)).await??;
        Ok((self, answer))
    }

    /// The certificate that the HSM presented, in DER.
    pub fn certificate(&mut self) -> Option<Vec<u8>> {
        let (_, tls) = self.frames.get_mut().get_ref();
        tls.peer_certificates()?.first().map(|certificate| certificate.to_vec())
    }

    /// Bytes that only the two ends of this connection can compute; `None` if rustls does not have them.
    pub fn exported(&mut self, label: &[u8]) -> Option<[u8; 32]> {
        let (_, tls) = self.frames.get_mut().get_ref();
        tls.export_keying_material([0; 32], label, None).ok()
    }

    /// Closes the connection, and does not wait long for an HSM that does not read.
    pub async fn close(mut self, limits: &Limits) {
        let goodbye = self.frames.close();
        let _ = within("close", limits.hello, goodbye).await;
    }
}

async fn connect(address: &Address) -> io::Result<TcpStream> {
    match address {
        Address::Named(host, port) => TcpStream::connect((host.as_str(), *port)).await,
        Address::Socket(socket) => TcpStream::connect(socket).await,
    }
}

async fn greet(frames: &mut Frames<TlsStream<TcpStream>>, version: u16) -> Result<String, OpenError> {
    let sent = frames.send(frame::encode(&Hello { version })?).await;
    // A write that failed says only that the connection is broken; the TLS alert that says why is still to be read.
    let welcome: Welcome = match (frames.next().await, sent) {
        (Some(Ok(frame)), _) => frame::decode(&frame)?,
        (Some(Err(error)), _) => return Err(tls_error(&error)),
        (None, Err(error)) => return Err(tls_error(&error)),
        (None, Ok(())) => return Err(OpenError::Closed),
    };
    if welcome.version != VERSION {
        return Err(OpenError::Version(welcome.version));
    }
    if welcome.hsm_id.is_empty() || !welcome.hsm_id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(OpenError::NotAnHsm(Garbage));
    }
    Ok(welcome.hsm_id)
}

async fn exchange<T: DeserializeOwned>(
    frames: &mut Frames<TlsStream<TcpStream>>,
    call: Bytes,
) -> Result<T, CallError> {
    frames.send(call).await.map_err(|_| CallError::Closed)?;
    let frame: Result<Bytes, io::Error> = frames.next().await.ok_or(CallError::Closed)?;
    match frame {
        Ok(frame) => Ok(frame::decode(&frame)?),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(CallError::Garbage(Garbage)),
        Err(_) => Err(CallError::Closed),
    }
}

/// Sorts what rustls reports: distrust of the server comes from our verifier, an alert from the server.
fn tls_error(error: &io::Error) -> OpenError {
    let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                OpenError::Closed
            }
            // Reported by the frame codec, not by TLS.
            io::ErrorKind::InvalidData => OpenError::NotAnHsm(Garbage),
            _ => OpenError::Tls(without_number(error)),
        };
    };
    if let Some(reason) = verifier::distrust(tls) {
        return OpenError::Distrust(reason);
    }
    match tls {
        rustls::Error::AlertReceived(
            alert @ (AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::DecryptError),
        ) => OpenError::ClientCertificate(format!("{alert:?}")),
        rustls::Error::InvalidMessage(_) => OpenError::Tls("the answer was not TLS".to_owned()),
        other => OpenError::Tls(other.to_string()),
    }
}
