//! What a request asks for, by its first line and headers alone.

use hyper::Method;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;

use super::protocol::Protocol;
use super::refusal::Refusal;
use crate::service::operation::Operation;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Health,
    Metrics,
    Call(Protocol, Operation),
}

/// A request that leads nowhere, and the protocol to say so in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Astray {
    pub(super) protocol: Protocol,
    pub(super) refusal: Refusal,
}

/// In the URLs of Smithy RPC v2.
const OPERATIONS: &str = "/service/BaldrApiService/operation/";

/// In the `X-Amz-Target` header of AWS JSON.
const TARGETS: &str = "BaldrApiService.";

pub(super) fn route(request: &Parts) -> Result<Route, Astray> {
    let path = request.uri.path();
    let reads = matches!(request.method, Method::GET | Method::HEAD);
    match path {
        "/health" if reads => Ok(Route::Health),
        "/metrics" if reads => Ok(Route::Metrics),
        _ => call(request, path),
    }
}

fn call(request: &Parts, path: &str) -> Result<Route, Astray> {
    let rpc = path.strip_prefix(OPERATIONS);
    let protocol = if rpc.is_some() { Protocol::Cbor } else { Protocol::Json };
    let astray = |refusal| Astray { protocol, refusal };
    let name = match rpc {
        Some(name) => Some(name).filter(|_| header(request, "smithy-protocol") == "rpc-v2-cbor"),
        None if path == "/" => header(request, "x-amz-target").strip_prefix(TARGETS),
        None => None,
    };
    let operation = name.filter(|_| request.method == Method::POST).and_then(Operation::parse);
    let operation = operation.ok_or_else(|| astray(Refusal::UnknownOperation))?;
    // Before anything else is looked at: a page in a browser can send other types of content to a loopback address
    // without asking first.
    if !is_of(protocol, header(request, CONTENT_TYPE.as_str())) {
        return Err(astray(Refusal::UnsupportedMediaType(protocol.content_type())));
    }
    Ok(Route::Call(protocol, operation))
}

/// A content type may have parameters, as in `application/x-amz-json-1.1; charset=utf-8`.
fn is_of(protocol: Protocol, content_type: &str) -> bool {
    let name = content_type.split(';').next().unwrap_or_default().trim();
    name.eq_ignore_ascii_case(protocol.content_type())
}

fn header<'a>(request: &'a Parts, name: &str) -> &'a str {
    request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    const JSON: &str = "application/x-amz-json-1.1";
    const CBOR: &str = "application/cbor";

    fn routed(method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Route, (Protocol, &'static str)> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        route(&parts).map_err(|astray| (astray.protocol, astray.refusal.name()))
    }

    #[test]
    fn both_protocols_name_the_operation_in_their_own_way() {
        let json = [("x-amz-target", "BaldrApiService.CreateHsm"), ("content-type", JSON)];
        let call = |protocol| Ok(Route::Call(protocol, Operation::CreateHsm));
        assert_eq!(routed("POST", "/", &json), call(Protocol::Json));
        let with_charset = [json[0], ("content-type", "Application/X-Amz-Json-1.1 ; charset=utf-8")];
        assert_eq!(routed("POST", "/", &with_charset), call(Protocol::Json));
        let cbor = [("smithy-protocol", "rpc-v2-cbor"), ("content-type", CBOR)];
        assert_eq!(
            routed("POST", "/service/BaldrApiService/operation/CreateHsm", &cbor),
            call(Protocol::Cbor)
        );
        assert_eq!(routed("GET", "/health", &[]), Ok(Route::Health));
        assert_eq!(routed("HEAD", "/metrics", &[]), Ok(Route::Metrics));
    }

    #[test]
    fn the_rest_is_no_operation() {
        let unknown = |protocol| Err((protocol, "UnknownOperationException"));
        let target = [("x-amz-target", "BaldrApiService.CreateHsm"), ("content-type", JSON)];
        assert_eq!(routed("GET", "/", &target), unknown(Protocol::Json));
        assert_eq!(routed("POST", "/other", &target), unknown(Protocol::Json));
        assert_eq!(routed("POST", "/health", &[]), unknown(Protocol::Json));
        for target in
            ["", "CreateHsm", "BaldrApiService", "BaldrApiService.", "BaldrApiService.Create", "a.CreateHsm"]
        {
            assert_eq!(routed("POST", "/", &[("x-amz-target", target)]), unknown(Protocol::Json), "{target}");
        }
        let path = "/service/BaldrApiService/operation/CreateHsm";
        assert_eq!(routed("POST", path, &[("content-type", CBOR)]), unknown(Protocol::Cbor));
        let json = [("smithy-protocol", "rpc-v2-json"), ("content-type", CBOR)];
        assert_eq!(routed("POST", path, &json), unknown(Protocol::Cbor));
    }

    #[test]
    fn a_form_of_a_browser_is_refused() {
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/json", ""] {
            let headers = [("x-amz-target", "BaldrApiService.CreateHsm"), ("content-type", content_type)];
            let refused = Err((Protocol::Json, "UnsupportedMediaTypeException"));
            assert_eq!(routed("POST", "/", &headers), refused, "{content_type}");
        }
    }
}
