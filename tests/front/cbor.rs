//! Smithy RPC v2 CBOR, which no client of Python speaks: this one is the tests' own.

use ciborium::Value;

use crate::client::{Answer, ask, post};
use crate::service::Service;

const HEADERS: [(&str, &str); 2] = [("smithy-protocol", "rpc-v2-cbor"), ("Content-Type", "application/cbor")];

pub(crate) fn path(operation: &str) -> String {
    format!("/service/BaldrApiService/operation/{operation}")
}

fn call(service: &Service, operation: &str, members: &[(&str, Value)]) -> (Answer, Value) {
    let members = members.iter().map(|(name, value)| (Value::from(*name), value.clone()));
    let mut body = Vec::new();
    ciborium::into_writer(&Value::Map(members.collect()), &mut body).unwrap();
    sent(service, operation, &body)
}

fn sent(service: &Service, operation: &str, body: &[u8]) -> (Answer, Value) {
    let answer = ask(service.address, &post(&path(operation), &HEADERS, body));
    assert_eq!(answer.header("content-type"), "application/cbor");
    assert_eq!(answer.header("smithy-protocol"), "rpc-v2-cbor");
    assert_eq!(answer.header("x-amzn-requestid").len(), 36);
    let value = ciborium::from_reader(answer.body.as_slice()).unwrap();
    (answer, value)
}

/// A member of a structure, through all of them.
fn member<'a>(value: &'a Value, names: &[&str]) -> &'a Value {
    names.iter().fold(value, |value, name| {
        let members = value.as_map().unwrap_or_else(|| panic!("{value:?}"));
        let found = members.iter().find(|(key, _)| key.as_text() == Some(name));
        found.map(|(_, value)| value).unwrap_or_else(|| panic!("no {name} in {value:?}"))
    })
}

fn exception(answer: &(Answer, Value)) -> (u16, &str) {
    (answer.0.status, member(&answer.1, &["__type"]).as_text().unwrap())
}

#[test]
fn a_call_is_answered_in_its_protocol() {
    let service = Service::open();
    let input = [("MaxResults", Value::from(2)), ("Unknown", Value::Null), ("NextToken", Value::Null)];
    let (answer, value) = call(&service, "DescribeClusters", &input);
    assert_eq!(answer.status, 200);
    assert_eq!(*member(&value, &["Clusters"]), Value::Array(vec![]));
    assert_eq!(sent(&service, "DescribeClusters", b"").0.status, 200);
    // A map and a text of unknown length, as the protocol's clients may send them.
    let indefinite = b"\xbf\x6aMaxResults\x02\x7f\x64Next\x65Token\xff\xf6\xff";
    assert_eq!(sent(&service, "DescribeClusters", indefinite).0.status, 200);
}

#[test]
fn a_moment_has_the_tag_of_moments() {
    let service = Service::open();
    let subnets = Value::Array(vec!["subnet-0e358c43".into()]);
    let (answer, value) =
        call(&service, "CreateCluster", &[("HsmType", "hsm1.medium".into()), ("SubnetIds", subnets)]);
    assert_eq!(answer.status, 200, "{value:?}");
    let moment = member(&value, &["Cluster", "CreateTimestamp"]);
    let Value::Tag(1, seconds) = moment else { panic!("{moment:?}") };
    assert!(seconds.as_float().unwrap() > 1.7e9);
    let id = member(&value, &["Cluster", "ClusterId"]).as_text().unwrap();
    assert!(id.starts_with("cluster-"), "{id}");
}

#[test]
fn a_failure_names_the_shape_in_full() {
    let service = Service::open();
    let missing = call(&service, "DeleteCluster", &[("ClusterId", "cluster-aaaaaaaaaaa".into())]);
    assert_eq!(exception(&missing), (400, "com.amazonaws.cloudhsmv2#CloudHsmResourceNotFoundException"));
    assert!(member(&missing.1, &["Message"]).as_text().unwrap().contains("cluster-aaaaaaaaaaa"));
    assert_eq!(
        exception(&call(&service, "Describe", &[])),
        (404, "com.amazonaws.cloudhsmv2#UnknownOperationException")
    );
    let malformed = (400, "com.amazonaws.cloudhsmv2#SerializationException");
    for body in [&b"\xa1"[..], b"\x80", b"\xa0\xa0", b"\xff", b"\xa1\x01\x01", b"{}"] {
        assert_eq!(exception(&sent(&service, "DescribeClusters", body)), malformed, "{body:x?}");
    }
    let wrong_type = call(&service, "DeleteCluster", &[("ClusterId", Value::Bytes(vec![1]))]);
    assert_eq!(exception(&wrong_type), malformed);
}
