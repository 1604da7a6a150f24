//! `hsmd service --check`: asks a service for its health, where there is no other HTTP client, as in a container.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::files::without_number;

/// Why a service does not count as healthy.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Unhealthy {
    #[error("{0}: {error}", error = without_number(.1))]
    Unreachable(SocketAddr, io::Error),
    /// What the service says of its HSMs.
    #[error("{0}")]
    Troubles(String),
}

/// To connect, and for each part of the answer.
const LIMIT: Duration = Duration::from_secs(5);

/// Bytes of an answer.
const MAX: u64 = 64 * 1024;

const QUESTION: &str = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Asks the service that listens on an address.
///
/// # Errors
///
/// If it does not answer, or says that not everything runs.
pub fn check(listen: SocketAddr) -> Result<(), Unhealthy> {
    let address = reachable(listen);
    let answer = ask(address).map_err(|error| Unhealthy::Unreachable(address, error))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.starts_with("HTTP/1.1 200 ") {
        Ok(())
    } else {
        Err(Unhealthy::Troubles(body.trim_end().to_owned()))
    }
}

/// A service that listens on all addresses also listens on the loopback one.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn ask(address: SocketAddr) -> io::Result<String> {
    let mut tcp = TcpStream::connect_timeout(&address, LIMIT)?;
    tcp.set_read_timeout(Some(LIMIT))?;
    tcp.set_write_timeout(Some(LIMIT))?;
    tcp.write_all(QUESTION.as_bytes())?;
    let mut answer = Vec::new();
    tcp.take(MAX).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
