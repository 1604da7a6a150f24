//! Clients that mean harm: whatever they send, they are answered or hung up on, and others are answered as before.

use std::time::{Duration, Instant};

use cloudhsm::service::front::gate::Entry;
use cloudhsm::service::front::limits::Limits;
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof};
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

use crate::cbor;
use crate::client::{Connection, ask, get, post};
use crate::json::request;
use crate::service::{SHORT, Service};

fn still_answers(service: &Service) {
    assert_eq!(ask(service.address, &get("/health")).status, 200);
}

#[test]
fn a_huge_body_is_refused() {
    let service = Service::open();
    let head = "POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Target: BaldrApiService.CreateHsm\r\n\
        Content-Type: application/x-amz-json-1.1\r\n";
    let claimed = format!("{head}Content-Length: 1000000000000\r\n\r\n");
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for (head, piece) in [(claimed, "x".repeat(0x10000)), (chunked, chunk)] {
        let mut connection = Connection::to(service.address);
        connection.send(head.as_bytes());
        // At most 64 MiB: the service hangs up long before.
        let sent = (0..1024).take_while(|_| connection.send(piece.as_bytes()).is_some()).count();
        assert!(sent < 1024);
        if let Some(answer) = connection.answer() {
            assert_eq!(answer.exception(), (413, "RequestEntityTooLargeException".to_owned()));
        }
    }
    still_answers(&service);
}

#[test]
fn a_huge_head_is_refused() {
    let service = Service::open();
    let header = format!("x-long: {}\r\n", "x".repeat(1000));
    let mut connection = Connection::to(service.address);
    connection.send(b"GET / HTTP/1.1\r\n");
    let sent = (0..10_000).take_while(|_| connection.send(header.as_bytes()).is_some()).count();
    assert!(sent < 10_000);
    if let Some(answer) = connection.answer() {
        assert_eq!(answer.status, 431);
    }
    still_answers(&service);
}

#[test]
fn who_is_slow_is_hung_up_on() {
    let service = Service::start(Entry::Everybody, SHORT);
    let begun = Instant::now();
    // More than there may be at a time: none of them keeps the others out for ever.
    let mut slow: Vec<_> = (0..6).map(|_| Connection::to(service.address)).collect();
    for (connection, sent) in
        slow.iter_mut().zip(["", "P", "POST / HTTP/1.1\r\n", "GET /health HTTP/1.1\r\na: b"])
    {
        connection.send(sent.as_bytes());
    }
    let whole = request("DescribeClusters", "{}");
    let without_end = &whole[..whole.len() - 1];
    slow[4].send(without_end);
    assert!(slow[..4].iter_mut().all(Connection::has_ended));
    assert_eq!(slow[4].answer().unwrap().exception(), (408, "RequestTimeoutException".to_owned()));
    assert!(slow[5].has_ended());
    assert!(begun.elapsed() < Duration::from_secs(50));
    still_answers(&service);
}

#[test]
fn what_is_not_http_is_refused() {
    let service = Service::open();
    let tls = b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03";
    let smuggled = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /health";
    for bytes in [
        &tls[..],
        b"\r\n\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        smuggled,
    ] {
        let mut connection = Connection::to(service.address);
        connection.send(bytes);
        connection.send(b"\r\n\r\n");
        if let Some(answer) = connection.answer() {
            assert!((400..500).contains(&answer.status), "{bytes:?}: {answer:?}");
        }
    }
    still_answers(&service);
}

#[test]
fn a_page_whose_name_leads_here_is_refused() {
    let service = Service::open();
    let with_host = |host: &str| {
        let request = String::from_utf8(request("DescribeClusters", "{}")).unwrap();
        ask(service.address, request.replace("Host: localhost", &format!("Host: {host}")).as_bytes())
    };
    for host in ["localhost", "127.0.0.1:4225", "[::1]:4225", "aws.localhost:1", "10.0.0.1"] {
        assert_eq!(with_host(host).status, 200, "{host}");
    }
    for host in [
        "attacker.example",
        "attacker.example:4225",
        "localhost.attacker.example",
        "127.0.0.1.example",
        "",
        "a b",
    ] {
        assert_eq!(with_host(host).exception(), (403, "AccessDeniedException".to_owned()), "{host}");
    }
}

#[test]
fn any_bytes_are_answered_or_end_the_connection() {
    let limits = Limits { head: Duration::from_millis(200), body: Duration::from_millis(200), ..SHORT };
    let service = Service::start(Entry::Everybody, limits);
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) };
    let bytes = prop_oneof![
        vec(any::<u8>(), 0..200),
        (operation(), vec(any::<u8>(), 0..100)).prop_map(|(name, body)| json(&name, &body)),
        (operation(), vec(any::<u8>(), 0..100)).prop_map(|(name, body)| smithy(&name, &body)),
        (operation(), authorization()).prop_map(|(name, header)| signed(&name, &header)),
        altered(),
    ];
    let outcome = TestRunner::new(config).run(&bytes, |bytes| {
        let mut connection = Connection::to(service.address);
        connection.send(&bytes);
        if let Some(answer) = connection.answer() {
            assert!((200..505).contains(&answer.status));
        }
        Ok(())
    });
    outcome.unwrap();
    still_answers(&service);
}

fn operation() -> impl Strategy<Value = String> {
    prop_oneof![Just("DescribeClusters".to_owned()), Just("TagResource".to_owned()), "[A-Za-z]{0,12}"]
}

fn authorization() -> impl Strategy<Value = String> {
    let part = "[ -~]{0,20}";
    (part, part, part).prop_map(|(credential, headers, signature)| {
        format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={headers}, Signature={signature}")
    })
}

fn json(name: &str, body: &[u8]) -> Vec<u8> {
    request(name, &String::from_utf8_lossy(body))
}

fn smithy(name: &str, body: &[u8]) -> Vec<u8> {
    let headers = [("smithy-protocol", "rpc-v2-cbor"), ("Content-Type", "application/cbor")];
    post(&cbor::path(name), &headers, body)
}

fn signed(name: &str, authorization: &str) -> Vec<u8> {
    let target = format!("BaldrApiService.{name}");
    post("/", &[crate::json::JSON, ("X-Amz-Target", &target), ("Authorization", authorization)], b"{}")
}

/// A good request with one byte changed.
fn altered() -> impl Strategy<Value = Vec<u8>> {
    (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| {
        let mut bytes =
            request("DescribeClusters", "{\"MaxResults\": 2, \"Filters\": {\"states\": [\"ACTIVE\"]}}");
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes
    })
}
