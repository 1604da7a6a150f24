//! Accepts connections, within limits of number and time, until the service stops.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::sockopt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Front;
use super::answer::answer;
use crate::hsmd::serving::server;

/// Bound, but not answering yet.
pub struct Listening {
    /// The address, with the port that the system chose, if that was left open.
    pub address: SocketAddr,
    listener: TcpListener,
}

/// Bytes of a request's first line and headers; session tokens are the longest of them.
const MAX_HEAD: usize = 64 * 1024;

/// How long a client may take to read what was sent.
const UNREAD: u32 = 30_000;

/// How long requests that have begun may take once the service is stopping. Less than container runtimes wait before
/// they kill.
const DRAIN: Duration = Duration::from_secs(8);

impl Listening {
    /// Binds an address.
    ///
    /// # Errors
    ///
    /// If the address is in use, or not this machine's.
    pub fn on(address: SocketAddr) -> io::Result<Self> {
        let listener = server::listen(address)?;
        Ok(Self { address: listener.local_addr()?, listener })
    }

    /// Answers until `stop`, then finishes the requests that have begun.
    pub async fn serve(self, front: Front, stop: CancellationToken) {
        let front = Arc::new(front);
        let tasks = TaskTracker::new();
        let permits = Arc::new(Semaphore::new(front.limits.connections));
        while let Some((tcp, client)) = server::accept(&self.listener, &stop).await {
            let permit = Arc::clone(&permits).acquire_owned();
            let permit = tokio::select! { permit = permit => permit, () = stop.cancelled() => break };
            let (front, stop) = (Arc::clone(&front), stop.clone());
            tasks.spawn(async move {
                let _permit = permit;
                if let Err(error) = connection(tcp, front, &stop).await {
                    tracing::debug!(%client, %error, "connection ended");
                }
            });
        }
        drop(self.listener);
        tasks.close();
        if timeout(DRAIN, tasks.wait()).await.is_err() {
            tracing::warn!("stopped with {} requests unanswered", tasks.len());
        }
    }
}

async fn connection(tcp: TcpStream, front: Arc<Front>, stop: &CancellationToken) -> hyper::Result<()> {
    if let Err(error) = set_options(&tcp) {
        tracing::debug!(%error, "could not set the connection's options");
    }
    let service = service_fn(|request| {
        let front = Arc::clone(&front);
        async move { Ok::<_, Infallible>(answer(&front, request).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(front.limits.head).max_buf_size(MAX_HEAD);
    let mut connection = pin!(http.serve_connection(TokioIo::new(tcp), service));
    tokio::select! {
        done = connection.as_mut() => return done,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}

fn set_options(tcp: &TcpStream) -> io::Result<()> {
    // An answer is one piece that the client waits for: Nagle's algorithm would only delay it.
    tcp.set_nodelay(true)?;
    Ok(sockopt::set_tcp_user_timeout(tcp, UNREAD)?)
}
