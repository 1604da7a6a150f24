//! The endpoint for monitoring: `/metrics` and `/health` over plain HTTP.
//!
//! It needs no login and shows no secrets. Requests are limited in number, size and time, so that neither a scraper
//! that hangs nor one that asks too often delays an HSM's clients.

pub(crate) mod page;

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use page::Waiting;

use super::probe::{Probe, look_at};
use crate::hsmd::serving::server;

/// The endpoint: bound, but not answering yet.
pub struct MetricsServer {
    /// The address, with the port that the system chose, if that was left open.
    pub address: SocketAddr,
    listener: TcpListener,
}

/// Connections at a time; more wait until one ends.
const MAX_CONNECTIONS: usize = 8;

/// From accepting a connection to the end of the answer; there is one request in a connection.
const LIMIT: Duration = Duration::from_secs(5);

/// Bytes of a request.
const MAX_REQUEST: usize = 8 * 1024;

const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

impl MetricsServer {
    /// Binds an address, and logs a warning if other machines may reach it.
    ///
    /// # Errors
    ///
    /// If the address is in use, or not this machine's.
    pub async fn listen(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        if !address.ip().to_canonical().is_loopback() {
            tracing::warn!(%address, "anyone who can reach this address can read the metrics");
        }
        Ok(Self { address, listener })
    }

    /// Answers requests about these HSMs until `stop`.
    pub async fn serve(self, hsms: Vec<Probe>, stop: CancellationToken) {
        let hsms: Arc<[Probe]> = hsms.into();
        let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        while let Some((tcp, client)) = server::accept(&self.listener, &stop).await {
            let permit = Arc::clone(&permits).acquire_owned();
            let permit = tokio::select! { permit = permit => permit, () = stop.cancelled() => return };
            let hsms = Arc::clone(&hsms);
            tokio::spawn(async move {
                let _permit = permit;
                match timeout(LIMIT, connection(tcp, hsms)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::debug!(%client, %error, "a request for metrics failed"),
                    Err(_) => tracing::debug!(%client, "a request for metrics timed out"),
                }
            });
        }
    }
}

async fn connection(tcp: TcpStream, hsms: Arc<[Probe]>) -> hyper::Result<()> {
    let service = service_fn(|request| {
        let hsms = Arc::clone(&hsms);
        async move { Ok::<_, Infallible>(answer(&request, &hsms).await) }
    });
    let mut http = http1::Builder::new();
    http.keep_alive(false).max_buf_size(MAX_REQUEST);
    http.serve_connection(TokioIo::new(tcp), service).await
}

async fn answer(request: &Request<Incoming>, hsms: &[Probe]) -> Response<String> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refusal = text(StatusCode::METHOD_NOT_ALLOWED, "GET only\n");
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    match request.uri().path() {
        "/metrics" => metrics(hsms).await,
        "/health" => health(hsms).await,
        _ => text(StatusCode::NOT_FOUND, "only /metrics and /health exist\n"),
    }
}

async fn metrics(hsms: &[Probe]) -> Response<String> {
    match page::metrics(look_at(hsms).await) {
        Ok(page) => response(StatusCode::OK, OPEN_METRICS, page),
        Err(fmt::Error) => text(StatusCode::INTERNAL_SERVER_ERROR, "cannot write the page\n"),
    }
}

async fn health(hsms: &[Probe]) -> Response<String> {
    let troubles = page::troubles(&look_at(hsms).await, Waiting::IsTrouble);
    if troubles.is_empty() {
        return text(StatusCode::OK, "ok\n");
    }
    response(StatusCode::SERVICE_UNAVAILABLE, PLAIN, troubles)
}

fn text(status: StatusCode, text: &str) -> Response<String> {
    response(status, PLAIN, text.to_owned())
}

fn response(status: StatusCode, content: HeaderValue, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content);
    response
}
