//! One configured server: how to reach it, and the state of its connection.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::login::{LoggedIn, LoginEffect};
use crate::config::ServerConfig;
use crate::wire::Limits;
use crate::wire::anchor::{Anchor, AnchorError};
use crate::wire::certificate::Distrust;
use crate::wire::identity::TlsIdentity;
use crate::wire::link::{Address, Link, OpenError};
use crate::wire::pem_file::PemError;
use crate::wire::verifier::{Trust, client_config};

/// Everything needed to connect to a server, as often as necessary.
#[derive(Clone, Debug)]
pub struct Dial {
    /// The name that the console shows.
    pub name: String,
    /// The host that the configuration names, which the console shows.
    pub hostname: String,
    /// The port that the configuration names, which the console shows.
    pub port: u16,
    /// The address to connect to. The HSMs of `--dev` do not listen at the host and port shown.
    pub address: Address,
    /// The CA certificate that must have signed the cluster's certificate.
    pub owner: Owner,
    /// The client certificate; an HSM may require one.
    pub identity: Option<Arc<TlsIdentity>>,
}

/// Where the cluster's CA certificate comes from.
#[derive(Clone, Debug)]
pub enum Owner {
    /// Read at each connection: the operator may copy the file there while the console runs.
    File(PathBuf),
    /// Known from the start.
    Known(Anchor),
}

/// How connecting went.
pub enum Opened {
    /// The server proved that it belongs to the cluster: "E2E".
    Trusted(Link),
    /// There is a connection, but the server has proved nothing: limited commands mode.
    Limited(Link, Limitation),
    /// There is no connection, for this reason.
    Failed(String),
}

/// Why a server is in limited commands mode.
#[derive(Debug, thiserror::Error)]
pub enum Limitation {
    /// The CA certificate cannot be read.
    #[error("{0}")]
    NoAnchor(AnchorError),
    /// The CA has not signed the server's certificate, or the certificate is not valid for an HSM.
    #[error("Certificate ERROR: [{0}]")]
    Distrust(Distrust),
}

/// A server and its connection.
pub struct Server {
    number: usize,
    dial: Arc<Dial>,
    link: Option<Link>,
    standing: Standing,
    hsm_id: Option<String>,
    login: Option<LoggedIn>,
}

/// The result of the last attempt to connect.
enum Standing {
    Trusted,
    Limited(Limitation),
    Down(String),
}

impl Dial {
    /// How to reach a server of a configuration.
    ///
    /// # Errors
    ///
    /// If its client certificate and key exist and cannot be used.
    pub fn new(server: &ServerConfig) -> Result<Self, PemError> {
        let has_identity = server.certificate.exists() && server.pkey.exists();
        let identity =
            if has_identity { Some(TlsIdentity::load(&server.certificate, &server.pkey)?) } else { None };
        Ok(Self {
            name: server.name().to_owned(),
            hostname: server.hostname.clone(),
            port: server.port,
            address: Address::Named(server.hostname.clone(), server.port),
            owner: Owner::File(server.owner_cert_path().to_owned()),
            identity: identity.map(Arc::new),
        })
    }

    /// Connects and asks for proof; without proof, connects in limited commands mode.
    pub async fn open(&self, limits: &Limits) -> Opened {
        let limitation = match self.anchor() {
            Err(error) => Limitation::NoAnchor(error),
            Ok(anchor) => match self.open_link(Trust::Owner(anchor), limits).await {
                Ok(link) => return Opened::Trusted(link),
                Err(OpenError::Distrust(reason)) => Limitation::Distrust(reason),
                Err(error) => return Opened::Failed(error.to_string()),
            },
        };
        // A handshake that failed on distrust cannot go on, so limited commands mode needs a second connection.
        match self.open_link(Trust::Nobody, limits).await {
            Ok(link) => Opened::Limited(link, limitation),
            Err(error) => match limitation {
                Limitation::NoAnchor(_) => Opened::Failed(error.to_string()),
                Limitation::Distrust(reason) => {
                    Opened::Failed(format!("Certificate ERROR: [{reason}], and {error}"))
                }
            },
        }
    }

    /// The CA certificate by which this server is trusted.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn anchor(&self) -> Result<Anchor, AnchorError> {
        match &self.owner {
            Owner::File(path) => Anchor::load(path),
            Owner::Known(anchor) => Ok(anchor.clone()),
        }
    }

    async fn open_link(&self, trust: Trust, limits: &Limits) -> Result<Link, OpenError> {
        let tls = client_config(trust, self.identity.as_deref());
        let tls = tls.map_err(|error| OpenError::ClientCertificate(error.to_string()))?;
        Link::open(&self.address, Arc::new(tls), limits).await
    }
}

impl Server {
    pub(super) fn new(number: usize, dial: Dial) -> Self {
        let standing = Standing::Down("not connected yet".to_owned());
        Self { number, dial: Arc::new(dial), link: None, standing, hsm_id: None, login: None }
    }

    /// The server's place in the configuration, counted from 0.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// How to reach the server.
    #[must_use]
    pub fn dial(&self) -> Arc<Dial> {
        Arc::clone(&self.dial)
    }

    /// The name that the console shows.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.dial.name
    }

    /// The HSM's id, such as `hsm-udw0tkfg1ab`, once it has been connected.
    #[must_use]
    pub fn hsm_id(&self) -> Option<&str> {
        self.hsm_id.as_deref()
    }

    /// The user who is logged in there, or was when the connection was lost.
    #[must_use]
    pub fn login(&self) -> Option<&LoggedIn> {
        self.login.as_ref()
    }

    /// Whether there is a connection, which the other end may have closed meanwhile.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.link.is_some()
    }

    /// Whether it proved that it belongs to the cluster when it was last connected.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        matches!(self.standing, Standing::Trusted)
    }

    /// Why it is in limited commands mode, if it is.
    #[must_use]
    pub fn limitation(&self) -> Option<&Limitation> {
        match &self.standing {
            Standing::Limited(limitation) => Some(limitation),
            Standing::Trusted | Standing::Down(_) => None,
        }
    }

    /// Whether the connection is still open, as far as this end knows without sending anything.
    pub(super) fn is_alive(&mut self) -> bool {
        let alive = self.link.as_mut().is_some_and(Link::is_idle);
        if !alive {
            // An HSM never speaks first: whatever came in must not be taken for the next answer.
            self.link = None;
        }
        alive
    }

    /// The reason why there is no connection.
    #[must_use]
    pub fn why_down(&self) -> &str {
        match &self.standing {
            Standing::Down(reason) => reason,
            Standing::Trusted | Standing::Limited(_) => "the connection was lost",
        }
    }

    /// Records the result of connecting.
    pub(super) fn connected(&mut self, opened: Opened) {
        (self.link, self.standing) = match opened {
            Opened::Trusted(link) => (Some(link), Standing::Trusted),
            Opened::Limited(link, limitation) => (Some(link), Standing::Limited(limitation)),
            Opened::Failed(reason) => (None, Standing::Down(reason)),
        };
        // The login of a lost connection is kept until there is a new one, so that the operator can be told who has
        // to log in again.
        if let Some(link) = &self.link {
            self.login = None;
            self.hsm_id = Some(link.hsm_id().to_owned());
        }
    }

    pub(super) fn take_link(&mut self) -> Option<Link> {
        self.link.take()
    }

    /// Takes the link back after a call, if the call left one, and applies the effect of a success on the login.
    pub(super) fn take_back(&mut self, link: Option<Link>, login: Option<&LoginEffect>) {
        // A call that was not allowed on this connection has not taken the link.
        self.link = link.or(self.link.take());
        if let Some(effect) = login {
            effect.apply(&mut self.login);
        }
    }
}

/// As success and failure lines name it: `server 0(10.0.0.1)`.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "server {}({})", self.number, self.dial.name)
    }
}
