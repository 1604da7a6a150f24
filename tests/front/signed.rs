//! With a file of credentials, only their owners are answered.

use std::fs;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use serde_json::json;
use tempfile::TempDir;

use crate::client::{Answer, ask, get, post};
use crate::json::JSON;
use crate::service::Service;

const FILE: &str = "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret-one\n\n\
    [temporary]\naws_access_key_id = ASIAEXAMPLE\naws_secret_access_key = secret-two\naws_session_token = token\n";

const TARGET: &str = "BaldrApiService.DescribeClusters";

/// What a client signs with.
#[derive(Clone, Copy)]
struct Signer {
    access_key: &'static str,
    secret: &'static str,
    token: Option<&'static str>,
    region: &'static str,
    time: SystemTime,
}

fn owner() -> Signer {
    Signer {
        access_key: "AKIDEXAMPLE",
        secret: "secret-one",
        token: None,
        region: "eu-west-1",
        time: SystemTime::now(),
    }
}

impl Signer {
    /// The headers of a request, the signature among them.
    fn headers(&self, body: &str) -> Vec<(String, String)> {
        let token = self.token.map(str::to_owned);
        let keys = Credentials::new(self.access_key, self.secret, token, None, "test").into();
        let params = SigningParams::builder()
            .identity(&keys)
            .region(self.region)
            .name("cloudhsm")
            .time(self.time)
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let headers = [("host", "localhost"), ("content-type", JSON.1), ("x-amz-target", TARGET)];
        let body = SignableBody::Bytes(body.as_bytes());
        let request = SignableRequest::new("POST", "http://localhost/", headers.into_iter(), body).unwrap();
        let (made, _) = sign(request, &params).unwrap().into_parts();
        let mut all: Vec<_> =
            made.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        all.extend([JSON, ("x-amz-target", TARGET)].map(|(name, value)| (name.to_owned(), value.to_owned())));
        all
    }

    fn asks(&self, service: &Service, body: &str) -> Answer {
        send(service, &self.headers(body), body)
    }
}

fn send(service: &Service, headers: &[(String, String)], body: &str) -> Answer {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    ask(service.address, &post("/", &headers, body.as_bytes()))
}

fn guarded() -> (TempDir, Service) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials");
    fs::write(&file, FILE).unwrap();
    (folder, Service::with_credentials(&file))
}

#[test]
fn owners_are_answered() {
    let (_folder, service) = guarded();
    let temporary =
        Signer { access_key: "ASIAEXAMPLE", secret: "secret-two", token: Some("token"), ..owner() };
    for signer in [owner(), temporary] {
        let answer = signer.asks(&service, "{}");
        assert_eq!((answer.status, answer.json()), (200, json!({"Clusters": []})));
    }
    assert_eq!(ask(service.address, &get("/health")).status, 200);
}

#[test]
fn nobody_else_is() {
    let (_folder, service) = guarded();
    let skew = Duration::from_secs(16 * 60);
    let refused = |answer: Answer| {
        let (status, name) = answer.exception();
        (status, name, answer.json()["message"].as_str().unwrap().to_owned())
    };
    let expect = |answer: Answer, status: u16, name: &str, message: &str| {
        let refusal = refused(answer);
        assert_eq!((refusal.0, refusal.1.as_str()), (status, name));
        assert!(refusal.2.starts_with(message), "{refusal:?}");
    };
    let plain = [JSON, ("x-amz-target", TARGET)];
    let unsigned = ask(service.address, &post("/", &plain, b"{}"));
    expect(unsigned, 403, "MissingAuthenticationTokenException", "Missing Authentication Token");
    let bearer = [&plain[..], &[("Authorization", "Bearer x")]].concat();
    let bearer = ask(service.address, &post("/", &bearer, b"{}"));
    expect(bearer, 400, "IncompleteSignatureException", "Authorization header requires algorithm");

    let (unknown, invalid) = ("UnrecognizedClientException", "InvalidSignatureException");
    let token_invalid = "The security token included in the request is invalid.";
    let mismatch = "The request signature we calculated does not match the signature you provided.";
    let asks = |signer: Signer| signer.asks(&service, "{}");
    expect(asks(Signer { access_key: "AKIDOTHER", ..owner() }), 403, unknown, token_invalid);
    expect(asks(Signer { token: Some("token"), ..owner() }), 403, unknown, token_invalid);
    expect(asks(Signer { secret: "secret-two", ..owner() }), 403, invalid, mismatch);
    let region = "Credential should be scoped to a valid region, not 'here'.";
    expect(asks(Signer { region: "here", ..owner() }), 403, invalid, region);
    expect(send(&service, &owner().headers("{}"), "{ }"), 403, invalid, mismatch);
    let (old, early) = (SystemTime::now() - skew, SystemTime::now() + skew);
    expect(asks(Signer { time: old, ..owner() }), 403, invalid, "Signature expired: ");
    expect(asks(Signer { time: early, ..owner() }), 403, invalid, "Signature not yet current: ");
}

#[test]
fn without_credentials_the_scope_still_says_the_region() {
    let service = Service::open();
    let anybody = Signer { access_key: "test", secret: "any", ..owner() };
    assert_eq!(anybody.asks(&service, "{}").status, 200);
    let nowhere = Signer { region: "here", ..anybody }.asks(&service, "{}");
    assert_eq!(nowhere.exception(), (403, "InvalidSignatureException".to_owned()));
}
