//! A client that says exactly what a test wants.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cloudhsm::cluster::{Dial, Opened};
use cloudhsm::config::Config;
use cloudhsm::protocol::message::{Call, OperationId, Response, Round};
use cloudhsm::protocol::session::Login;
use cloudhsm::protocol::user::UserType;
use cloudhsm::protocol::{Reply, Request, Secret};
use cloudhsm::wire::Limits;
use cloudhsm::wire::frame::encode;
use cloudhsm::wire::link::Link;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpSocket, TcpStream};

use crate::cluster::{CO_PASSWORD, Cluster};

/// For clients that may take as long as a busy machine needs.
pub(crate) const PATIENT: Limits = Limits {
    connect: Duration::from_secs(30),
    handshake: Duration::from_secs(30),
    hello: Duration::from_secs(30),
    call: Duration::from_secs(60),
};

/// How to reach an HSM of a cluster.
pub(crate) fn dial(cluster: &Cluster, node: usize) -> Dial {
    Dial::new(Config::load(&cluster.config()).unwrap().servers().nth(node).unwrap()).unwrap()
}

/// A connection, if the HSM takes it.
pub(crate) async fn connect(dial: &Dial, limits: &Limits) -> Option<Link> {
    match dial.open(limits).await {
        Opened::Trusted(link) => Some(link),
        Opened::Limited(..) | Opened::Failed(_) => None,
    }
}

/// Asks, and gives the link back if there was an answer.
pub(crate) async fn ask(link: Link, request: Request) -> Option<(Link, Response)> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = OperationId(NEXT.fetch_add(1, Ordering::Relaxed).into());
    let call = encode(&Call { round: Round::Perform(id), request }).unwrap();
    link.call(call, &PATIENT).await.ok()
}

pub(crate) fn login(user_type: UserType, name: &str, password: &str) -> Request {
    let password = Secret::new(password.to_owned());
    Request::Login(Login { user_type, name: name.to_owned(), password, second_factor: None })
}

/// A CO's connection, logged in; `None` if any of it did not work.
pub(crate) async fn officer(dial: &Dial, limits: &Limits) -> Option<Link> {
    let link = connect(dial, limits).await?;
    match ask(link, login(UserType::Co, "admin", CO_PASSWORD)).await {
        Some((link, Ok(Some(Reply::Login(()))))) => Some(link),
        _ => None,
    }
}

/// A TCP connection from an address of the loopback.
pub(crate) async fn tcp(from: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    socket.connect(to).await
}

pub(crate) fn socket_address(cluster: &Cluster, node: u32) -> SocketAddr {
    format!("{}:{}", cluster.address(node), cluster.port).parse().unwrap()
}

/// Lets this process, which plays thousands of clients, have as many open files.
#[must_use]
pub(crate) fn allows_files(needed: u64) -> bool {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if maximum.is_some_and(|hard| hard < needed) {
        println!("not tried: the hard limit on open files is below {needed}");
        return false;
    }
    if current.is_some_and(|soft| soft < needed) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum }).unwrap();
    }
    true
}
