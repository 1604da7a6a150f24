//! Accepts connections for one HSM.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::{Shutdown, shutdown, sockopt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, TryAcquireError};
use tokio::task::{unconstrained, yield_now};
use tokio::time::{sleep, timeout};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::session;
use super::shared::Shared;
use super::strangers::{Guest, Stage};

/// How long calls that have begun may take once the HSM is stopping. Less than service managers wait before they kill.
const DRAIN: Duration = Duration::from_secs(5);

/// How long a client whose handshake failed may take to read the alert.
const LINGER: Duration = Duration::from_millis(500);

/// Connections that are not accepted yet; a system has a limit of its own, by default 4096.
const QUEUE: u32 = 4096;

/// Connections that are accepted before other tasks get their turn. A flood fills the queue of those that are not
/// accepted yet, and then the kernel drops everybody's packets, which are repeated only after a second: the queue has to
/// be emptied in one go.
const IN_A_ROW: u32 = 1024;

/// How long to wait for a connection to end, before another one without a login has to make room.
const ROOM: Duration = Duration::from_millis(100);

/// How long a connection may be idle before TCP probes whether the client is still there. A client that vanished
/// without closing would otherwise keep its user logged in, and its connection taken, for ever.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// The interval of further probes, and how many may stay without an answer.
const KEEPALIVE_AGAIN: Duration = Duration::from_secs(10);
const KEEPALIVE_COUNT: u32 = 3;

/// Serves until `stop`, then finishes the calls that have begun.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    // Without tokio's budget: see `IN_A_ROW`.
    unconstrained(accept_all(listener, shared, stop)).await;
}

async fn accept_all(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    let abandon = CancellationToken::new();
    let mut accepted = 0_u32;
    while let Some((tcp, client)) = accept(&listener, &stop).await {
        accepted = accepted.wrapping_add(1);
        if accepted.is_multiple_of(IN_A_ROW) {
            yield_now().await;
        }
        // The permit is taken before TLS begins: a handshake is where a connection costs most.
        let permit = tokio::select! { permit = permit(&shared) => permit, () = stop.cancelled() => break };
        let guest = shared.strangers.admit(client.ip());
        let (shared, stop, abandon) = (Arc::clone(&shared), stop.clone(), abandon.clone());
        tasks.spawn(async move {
            let connection = connection(tcp, client, guest, &shared, &stop);
            tokio::select! { () = connection => {}, () = abandon.cancelled() => {} }
            drop(permit);
        });
    }
    close(listener);
    tasks.close();
    if timeout(DRAIN, tasks.wait()).await.is_err() {
        tracing::warn!(hsm_id = %shared.hsm_id, "stopped with {} calls unfinished", tasks.len());
        abandon.cancel();
        tasks.wait().await;
    }
}

/// Listens on an address.
///
/// # Errors
///
/// If the system does not allow that.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

/// Stops listening, so that the address is free. To drop the listener is not enough: a program that is being started
/// holds a copy of it until it runs.
pub(crate) fn close(listener: TcpListener) {
    // A socket that listens can be shut down.
    let _ = shutdown(listener, Shutdown::Both);
}

/// The next connection; `None` after `stop`.
pub(crate) async fn accept(
    listener: &TcpListener,
    stop: &CancellationToken,
) -> Option<(TcpStream, SocketAddr)> {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return None,
        };
        match accepted {
            Ok(connection) => return Some(connection),
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                // Most likely out of file descriptors: wait until one is closed, instead of spinning.
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// A permit for one more connection. If there is none, a connection without a login makes room; if all have one, this
/// waits.
async fn permit(shared: &Shared) -> Option<OwnedSemaphorePermit> {
    loop {
        let permits = Arc::clone(&shared.connections);
        match permits.try_acquire_owned() {
            Ok(permit) => return Some(permit),
            Err(TryAcquireError::NoPermits) => shared.strangers.make_room(),
            Err(TryAcquireError::Closed) => return None,
        }
        // Not for longer: somebody may log out.
        if let Ok(permit) = timeout(ROOM, Arc::clone(&shared.connections).acquire_owned()).await {
            return permit.ok();
        }
    }
}

async fn connection(
    tcp: TcpStream,
    client: SocketAddr,
    mut guest: Guest,
    shared: &Shared,
    stop: &CancellationToken,
) {
    if let Err(error) = set_options(&tcp) {
        tracing::debug!(%client, %error, "could not set the connection's options");
    }
    let pushed_out = guest.pushed_out();
    let handshake = tokio::select! {
        done = timeout(shared.limits.handshake, handshake(tcp, &guest, shared)) => done,
        () = pushed_out.cancelled() => return,
        () = stop.cancelled() => return,
    };
    match handshake {
        Ok(Ok(stream)) => {
            if let Err(error) =
                session::serve(stream, client.ip().to_canonical(), &mut guest, shared, stop).await
            {
                report(shared, |more| tracing::info!(%client, %error, more, "connection ended"));
            }
        }
        Ok(Err((error, tcp))) => {
            report(shared, |more| tracing::info!(%client, %error, more, "TLS handshake failed"));
            tokio::select! { () = linger(tcp) => {}, () = pushed_out.cancelled() => {} }
        }
        Err(_) => report(shared, |more| tracing::info!(%client, more, "no TLS handshake in time")),
    }
}

async fn handshake(
    tcp: TcpStream,
    guest: &Guest,
    shared: &Shared,
) -> Result<TlsStream<TcpStream>, (io::Error, TcpStream)> {
    if let Err(error) = tcp.readable().await {
        return Err((error, tcp));
    }
    guest.is_at(Stage::Handshake);
    shared.tls.accept(tcp).into_fallible().await
}

/// Logs what a client did wrong, unless too many do: then `more` says later how many lines are missing.
fn report(shared: &Shared, log: impl FnOnce(Option<u64>)) {
    if let Some(unsaid) = shared.troubles.take() {
        log(unsaid.get());
    }
}

fn set_options(tcp: &TcpStream) -> io::Result<()> {
    // An answer is one small frame that the client waits for: Nagle's algorithm would only delay it.
    tcp.set_nodelay(true)?;
    sockopt::set_socket_keepalive(tcp, true)?;
    sockopt::set_tcp_keepidle(tcp, KEEPALIVE)?;
    sockopt::set_tcp_keepintvl(tcp, KEEPALIVE_AGAIN)?;
    Ok(sockopt::set_tcp_keepcnt(tcp, KEEPALIVE_COUNT)?)
}

/// Gives the client time to read the alert: closing a socket with unread input sends a reset, which discards it.
async fn linger(mut tcp: TcpStream) {
    let rest = async {
        tcp.shutdown().await?;
        let mut unread = [0; 512];
        while tcp.read(&mut unread).await? > 0 {}
        io::Result::Ok(())
    };
    // A client that takes longer goes without.
    let _ = timeout(LINGER, rest).await;
}
