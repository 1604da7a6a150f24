//! AWS JSON 1.1, as the CLI and boto3 speak it.

use serde_json::json;

use crate::client::{Answer, Connection, ask, get, post};
use crate::service::Service;

pub(crate) const JSON: (&str, &str) = ("Content-Type", "application/x-amz-json-1.1");

pub(crate) fn request(operation: &str, body: &str) -> Vec<u8> {
    let target = format!("BaldrApiService.{operation}");
    post("/", &[JSON, ("X-Amz-Target", &target)], body.as_bytes())
}

fn call(service: &Service, operation: &str, body: &str) -> Answer {
    ask(service.address, &request(operation, body))
}

#[test]
fn a_call_is_answered_in_its_protocol() {
    let service = Service::open();
    for body in ["{}", "", "{\"MaxResults\":25,\"NextToken\":null,\"Unknown\":[{}]}"] {
        let answer = call(&service, "DescribeClusters", body);
        assert_eq!((answer.status, answer.json()), (200, json!({"Clusters": []})), "{body}");
        assert_eq!(answer.header("content-type"), JSON.1);
        assert_eq!(answer.header("x-amzn-requestid").len(), 36);
    }
}

#[test]
fn a_connection_is_good_for_many_calls() {
    let service = Service::open();
    let mut connection = Connection::to(service.address);
    let mut ask = |bytes: &[u8]| connection.ask(bytes).unwrap();
    let first = ask(&request("DescribeClusters", "{}"));
    let second = ask(&request("DescribeBackups", "{}"));
    assert_eq!((first.json(), second.json()), (json!({"Clusters": []}), json!({"Backups": []})));
    assert_ne!(first.header("x-amzn-requestid"), second.header("x-amzn-requestid"));
    assert_eq!(ask(&get("/health")).text(), "ok\n");
}

#[test]
fn a_failure_of_the_account_is_an_exception_of_the_model() {
    let service = Service::open();
    let answer = call(&service, "DeleteCluster", "{\"ClusterId\":\"cluster-aaaaaaaaaaa\"}");
    assert_eq!(answer.exception(), (400, "CloudHsmResourceNotFoundException".to_owned()));
    assert!(answer.json()["Message"].as_str().unwrap().contains("cluster-aaaaaaaaaaa"));
    let answer = call(&service, "DeleteCluster", "{}");
    let message = "1 validation error detected: Value null at 'clusterId' failed to satisfy constraint: Member must not \
        be null";
    let expected = json!({"__type": "CloudHsmInvalidRequestException", "Message": message});
    assert_eq!((answer.status, answer.json()), (400, expected));
}

#[test]
fn what_does_not_reach_the_account_is_an_exception_of_all_services() {
    let service = Service::open();
    let exception = |request: &[u8]| {
        let answer = ask(service.address, request);
        assert_eq!(answer.header("x-amzn-requestid").len(), 36);
        assert!(answer.json()["message"].is_string());
        answer.exception()
    };
    let unknown = (404, "UnknownOperationException".to_owned());
    assert_eq!(exception(&request("Describe", "{}")), unknown);
    assert_eq!(exception(&request("describeClusters", "{}")), unknown);
    assert_eq!(exception(&post("/", &[JSON], b"{}")), unknown);
    assert_eq!(exception(&get("/")), unknown);
    assert_eq!(exception(&get("/other")), unknown);
    let target = ("X-Amz-Target", "BaldrApiService.DescribeClusters");
    let unsupported = (415, "UnsupportedMediaTypeException".to_owned());
    assert_eq!(exception(&post("/", &[target], b"{}")), unsupported);
    assert_eq!(exception(&post("/", &[target, ("Content-Type", "application/json")], b"{}")), unsupported);
    let malformed = (400, "SerializationException".to_owned());
    for body in [
        "{",
        "[]",
        "\"\"",
        "null",
        "{}{}",
        "{\"MaxResults\":\"2\"}",
        "{\"Filters\":[]}",
        "{\"MaxResults\":2.5}",
    ] {
        assert_eq!(exception(&request("DescribeClusters", body)), malformed, "{body}");
    }
}

#[test]
fn the_page_for_monitoring_counts_calls() {
    let service = Service::open();
    call(&service, "DescribeClusters", "{}");
    call(&service, "DescribeClusters", "{}");
    call(&service, "DescribeClusters", "{");
    let answer = ask(service.address, &get("/metrics"));
    assert_eq!(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let page = answer.text();
    let row = |operation: &str, outcome: &str| {
        let labels = format!("operation=\"{operation}\",outcome=\"{outcome}\"");
        let row = format!("hsmd_service_calls_total{{{labels}}} ");
        page.lines().find_map(|line| line.strip_prefix(&row)).map(str::to_owned)
    };
    assert_eq!(row("DescribeClusters", "ok").unwrap(), "2", "{page}");
    assert_eq!(row("DescribeClusters", "refused").unwrap(), "1", "{page}");
    assert_eq!(row("DeleteResourcePolicy", "failed").unwrap(), "0", "{page}");
    assert!(page.contains("hsmd_service_hsms{state=\"DEGRADED\"} 0\n"), "{page}");
    assert_eq!(page.matches("# EOF").count(), 1, "{page}");
    assert!(page.ends_with("# EOF\n"), "{page}");
}

#[test]
fn a_stop_waits_for_no_idle_connection() {
    let mut service = Service::open();
    let mut idle = Connection::to(service.address);
    idle.ask(&request("DescribeClusters", "{}")).unwrap();
    let mut silent = Connection::to(service.address);
    service.stop();
    assert!(idle.has_ended());
    assert!(silent.has_ended());
}
