//! Accepting connections for one HSM.

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

/// How long calls that have begun may last once the HSM stops.
const DRAIN: Duration = Duration::from_secs(5);

/// How long a client that failed the handshake may take to read why.
const LINGER: Duration = Duration::from_millis(500);

/// How long an idle connection may be silent before the network is asked whether the client is still there. A
/// client that is gone would keep its user logged in.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// How long after a question without an answer the network is asked again, and how often.
const KEEPALIVE_AGAIN: Duration = Duration::from_secs(10);
const KEEPALIVE_COUNT: u32 = 3;

/// Serves until `stop`, then answers what has been asked.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    let abandon = CancellationToken::new();
    while let Some((tcp, client)) = accept(&listener, &stop).await {
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
        tracing::warn!(hsm_id = %shared.hsm_id, "stopped with {} connections under way", tasks.len());
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
                // Out of files, most likely: wait until one is closed.
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
        Ok(Ok(stream)) => session::serve(stream, shared, stop).await,
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
    tcp.set_nodelay(true)?;
    sockopt::set_socket_keepalive(tcp, true)?;
    sockopt::set_tcp_keepidle(tcp, KEEPALIVE)?;
    sockopt::set_tcp_keepintvl(tcp, KEEPALIVE_AGAIN)?;
    Ok(sockopt::set_tcp_keepcnt(tcp, KEEPALIVE_COUNT)?)
}

/// Lets the client read the alert: closing with unread bytes would take it back.
async fn linger(mut tcp: TcpStream) {
    let rest = async {
        tcp.shutdown().await?;
        let mut unread = [0; 512];
        while tcp.read(&mut unread).await? > 0 {}
        io::Result::Ok(())
    };
    // A client that does not read does not want to know.
    let _ = timeout(LINGER, rest).await;
}
