//! Accepts connections for one HSM.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::sockopt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::session;
use super::shared::Shared;

/// How long calls that have begun may take once the HSM is stopping. Less than service managers wait before they kill.
const DRAIN: Duration = Duration::from_secs(5);

/// How long a client whose handshake failed may take to read the alert.
const LINGER: Duration = Duration::from_millis(500);

/// How long a connection may be idle before TCP probes whether the client is still there. A client that vanished
/// without closing would otherwise keep its user logged in, and its connection taken, for ever.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// The interval of further probes, and how many may stay without an answer.
const KEEPALIVE_AGAIN: Duration = Duration::from_secs(10);
const KEEPALIVE_COUNT: u32 = 3;

/// Serves until `stop`, then finishes the calls that have begun.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    let abandon = CancellationToken::new();
    while let Some((tcp, client)) = accept(&listener, &stop).await {
        // The permit is taken before TLS begins: a handshake is where a connection costs most.
        let permit = Arc::clone(&shared.connections).acquire_owned();
        let permit = tokio::select! { permit = permit => permit, () = stop.cancelled() => break };
        let (shared, stop, abandon) = (Arc::clone(&shared), stop.clone(), abandon.clone());
        tasks.spawn(async move {
            let _permit = permit;
            let connection = connection(tcp, client, &shared, &stop);
            tokio::select! { () = connection => {}, () = abandon.cancelled() => {} }
        });
    }
    drop(listener);
    tasks.close();
    if timeout(DRAIN, tasks.wait()).await.is_err() {
        tracing::warn!(hsm_id = %shared.hsm_id, "stopped with {} calls unfinished", tasks.len());
        abandon.cancel();
        tasks.wait().await;
    }
}

/// The next connection; `None` after `stop`.
pub(in crate::hsmd) async fn accept(
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

async fn connection(tcp: TcpStream, client: SocketAddr, shared: &Shared, stop: &CancellationToken) {
    if let Err(error) = set_options(&tcp) {
        tracing::debug!(%client, %error, "could not set the connection's options");
    }
    let handshake = timeout(shared.limits.handshake, shared.tls.accept(tcp).into_fallible());
    let handshake = tokio::select! { done = handshake => done, () = stop.cancelled() => return };
    let served = match handshake {
        Ok(Ok(stream)) => session::serve(stream, client.ip().to_canonical(), shared, stop).await,
        Ok(Err((error, tcp))) => {
            tracing::info!(%client, %error, "TLS handshake failed");
            return linger(tcp).await;
        }
        Err(_) => {
            tracing::info!(%client, "no TLS handshake in time");
            return;
        }
    };
    if let Err(error) = served {
        tracing::info!(%client, %error, "connection ended");
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
