//! One configured server: how to reach it, and how it stands with it now.

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

/// All that is needed to connect to a server, again and again.
#[derive(Clone, Debug)]
pub struct Dial {
    /// What the console calls it.
    pub name: String,
    /// Where the configuration says that it listens.
    pub hostname: String,
    /// Where the configuration says that it listens.
    pub port: u16,
    /// Where it is reached.
    pub address: Address,
    /// Whom to trust.
    pub owner: Owner,
    /// The client certificate, if there is one.
    pub identity: Option<Arc<TlsIdentity>>,
}

/// Where the cluster's CA certificate comes from.
#[derive(Clone, Debug)]
pub enum Owner {
    /// Read at each connection: the operator may put the file there meanwhile.
    File(PathBuf),
    /// Known from the start.
    Known(Anchor),
}

/// How connecting went.
pub enum Opened {
    /// It proved to be of the cluster: "E2E".
    Trusted(Link),
    /// There is a connection, but the other end has proved nothing: limited commands mode.
    Limited(Link, Limitation),
    /// There is none, and why.
    Failed(String),
}

/// Why a server is in limited commands mode.
#[derive(Debug, thiserror::Error)]
pub enum Limitation {
    /// The CA certificate cannot be read.
    #[error("{0}")]
    NoAnchor(AnchorError),
    /// The server's certificate is not one that the CA vouches for.
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

/// What the last attempt to connect brought.
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
    /// If its client certificate or key is there and cannot be used.
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

    /// Connects: with proof, or if the proof cannot be had, without trust.
    pub async fn open(&self, limits: &Limits) -> Opened {
        let anchor = match &self.owner {
            Owner::File(path) => Anchor::load(path),
            Owner::Known(anchor) => Ok(anchor.clone()),
        };
        let limitation = match anchor {
            Err(error) => Limitation::NoAnchor(error),
            Ok(anchor) => match self.open_link(Trust::Owner(anchor), limits).await {
                Ok(link) => return Opened::Trusted(link),
                Err(OpenError::Distrust(reason)) => Limitation::Distrust(reason),
                Err(error) => return Opened::Failed(error.to_string()),
            },
        };
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

    /// Its place in the configuration, from 0.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// How to reach it.
    #[must_use]
    pub fn dial(&self) -> Arc<Dial> {
        Arc::clone(&self.dial)
    }

    /// What the console calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.dial.name
    }

    /// Such as `hsm-udw0tkfg1ab`, once it has said so.
    #[must_use]
    pub fn hsm_id(&self) -> Option<&str> {
        self.hsm_id.as_deref()
    }

    /// Who is logged in there, or was when the connection was lost.
    #[must_use]
    pub fn login(&self) -> Option<&LoggedIn> {
        self.login.as_ref()
    }

    /// Whether there is a connection.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.link.is_some()
    }

    /// Whether it proved to be of the cluster when it was last connected.
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

    /// Whether the connection is still there, as far as one can see without asking.
    pub(super) fn is_alive(&mut self) -> bool {
        let alive = self.link.as_mut().is_some_and(Link::is_idle);
        if !alive {
            self.link = None;
        }
        alive
    }

    /// Why there is no connection, if there is none.
    #[must_use]
    pub fn why_down(&self) -> &str {
        match &self.standing {
            Standing::Down(reason) => reason,
            Standing::Trusted | Standing::Limited(_) => "the connection was lost",
        }
    }

    /// Takes the outcome over. The login of a lost connection is remembered until there is another connection.
    pub(super) fn connected(&mut self, opened: Opened) {
        (self.link, self.standing) = match opened {
            Opened::Trusted(link) => (Some(link), Standing::Trusted),
            Opened::Limited(link, limitation) => (Some(link), Standing::Limited(limitation)),
            Opened::Failed(reason) => (None, Standing::Down(reason)),
        };
        if let Some(link) = &self.link {
            self.login = None;
            self.hsm_id = Some(link.hsm_id().to_owned());
        }
    }

    pub(super) fn take_link(&mut self) -> Option<Link> {
        self.link.take()
    }

    /// The link, if the call left one, and what the call's success means for the login.
    pub(super) fn take_back(&mut self, link: Option<Link>, login: Option<&LoginEffect>) {
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
