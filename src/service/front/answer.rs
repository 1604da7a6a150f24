//! One request, one answer.

use std::time::SystemTime;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};

use super::Front;
use super::body;
use super::call::Call;
use super::protocol::Protocol;
use super::request_id::RequestId;
use super::route::{Astray, Route, route};
use super::trouble::Trouble;
use crate::service::account::Health;
use crate::service::operation::Operation;
use crate::service::shapes::names::Region;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const SMITHY_PROTOCOL: HeaderName = HeaderName::from_static("smithy-protocol");
const RPC_V2_CBOR: HeaderValue = HeaderValue::from_static("rpc-v2-cbor");
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// What an answer's body is.
type Whole = Full<Bytes>;

pub(super) async fn answer(front: &Front, request: Request<Incoming>) -> Response<Whole> {
    let id = RequestId::new();
    let (head, body) = request.into_parts();
    let mut response = match route(&head) {
        Ok(Route::Health) => health(front).await,
        Ok(Route::Metrics) => metrics(front).await,
        Ok(Route::Call(protocol, operation)) => {
            let outcome = front.answer(protocol, operation, &head, body, id).await;
            outcome.map_or_else(|trouble| exception(protocol, &trouble), |body| done(protocol, body))
        }
        Err(Astray { protocol, refusal }) => {
            tracing::info!(request_id = %id, outcome = refusal.name(), "request");
            exception(protocol, &refusal.into())
        }
    };
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

impl Front {
    /// Answers a call, counts it and logs it.
    async fn answer(
        &self,
        protocol: Protocol,
        operation: Operation,
        head: &Parts,
        body: Incoming,
        id: RequestId,
    ) -> Result<Bytes, Trouble> {
        let mut region = None;
        let outcome = self.call(protocol, operation, head, body, &mut region).await;
        self.tally.count(operation, outcome.as_ref().err());
        let (operation, region) = (operation.name(), region.as_ref().map_or("", Region::as_str));
        match &outcome {
            Ok(_) => tracing::info!(request_id = %id, operation, region, outcome = "ok", "call"),
            Err(trouble) if trouble.status().is_server_error() => {
                tracing::error!(request_id = %id, operation, region, outcome = trouble.name(), %trouble, "call");
            }
            Err(trouble) => {
                tracing::info!(request_id = %id, operation, region, outcome = trouble.name(), "call");
            }
        }
        outcome
    }

    async fn call(
        &self,
        protocol: Protocol,
        operation: Operation,
        head: &Parts,
        body: Incoming,
        at: &mut Option<Region>,
    ) -> Result<Bytes, Trouble> {
        let body = body::read(body, self.limits.body).await?;
        let region = self.gate.region(head, &body, SystemTime::now())?;
        *at = Some(region.clone());
        let call = Call { protocol, operation, region, input: protocol.read(&body)? };
        call.carry_out(&self.account).await
    }
}

async fn health(front: &Front) -> Response<Whole> {
    match front.account.health().await {
        Health::Well => response(StatusCode::OK, PLAIN, "ok\n"),
        Health::Troubles(lines) => response(StatusCode::SERVICE_UNAVAILABLE, PLAIN, lines),
    }
}

/// The account's page, and the calls on the same one.
async fn metrics(front: &Front) -> Response<Whole> {
    match (front.account.metrics().await, front.tally.page(front.account.hsms())) {
        (Ok(account), Ok(calls)) => {
            let page = format!("{}{calls}", account.trim_end_matches("# EOF\n"));
            response(StatusCode::OK, OPEN_METRICS, page)
        }
        (Err(_), _) | (_, Err(_)) => {
            response(StatusCode::INTERNAL_SERVER_ERROR, PLAIN, "cannot write the page\n")
        }
    }
}

fn exception(protocol: Protocol, trouble: &Trouble) -> Response<Whole> {
    in_protocol(protocol, trouble.status(), protocol.write_exception(trouble.exception()))
}

fn done(protocol: Protocol, body: Bytes) -> Response<Whole> {
    in_protocol(protocol, StatusCode::OK, body)
}

fn in_protocol(protocol: Protocol, status: StatusCode, body: Bytes) -> Response<Whole> {
    let mut response = response(status, protocol.content_type(), body);
    match protocol {
        Protocol::Json => {}
        Protocol::Cbor => drop(response.headers_mut().insert(SMITHY_PROTOCOL, RPC_V2_CBOR)),
    }
    response
}

fn response(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Whole> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
