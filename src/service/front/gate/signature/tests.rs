//! Against the signatures that AWS has published, and against clients that do something wrong.

use hyper::Request;
use time::macros::datetime;
use zeroize::Zeroizing;

use super::*;
use crate::service::front::gate::credentials::Credentials;

/// A signed request: its published signature, its first line, its headers in order, its body.
struct Example {
    signature: &'static str,
    service: &'static str,
    method: &'static str,
    uri: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
}

const DATE: (&str, &str) = ("x-amz-date", "20150830T123600Z");
const HOST: (&str, &str) = ("host", "example.amazonaws.com");

/// Of the documentation of Signature Version 4, and of its test suite.
const EXAMPLES: &[Example] = &[
    Example {
        signature: "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        service: "iam",
        method: "GET",
        uri: "/?Action=ListUsers&Version=2010-05-08",
        headers: &[
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("host", "iam.amazonaws.com"),
            DATE,
        ],
        body: "",
    },
    Example {
        signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        service: "service",
        method: "GET",
        uri: "/",
        headers: &[HOST, DATE],
        body: "",
    },
    Example {
        signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        service: "service",
        method: "POST",
        uri: "/",
        headers: &[HOST, DATE],
        body: "",
    },
    Example {
        signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        service: "service",
        method: "POST",
        uri: "/",
        headers: &[("content-type", "application/x-www-form-urlencoded"), HOST, DATE],
        body: "Param1=value1",
    },
    Example {
        signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        service: "service",
        method: "GET",
        uri: "/",
        headers: &[HOST, ("my-header1", "value2"), ("my-header1", "value2"), ("my-header1", "value1"), DATE],
        body: "",
    },
    Example {
        signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        service: "service",
        method: "GET",
        uri: "/",
        headers: &[HOST, ("my-header1", " value1"), ("my-header2", " \"a   b   c\""), DATE],
        body: "",
    },
];

fn secret() -> Secret {
    Secret { key: Zeroizing::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()), session_token: None }
}

fn parts(example: &Example) -> Parts {
    let mut request = Request::builder().method(example.method).uri(example.uri);
    for (name, value) in example.headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

#[test]
fn the_published_signatures_come_out() {
    let time = datetime!(2015-08-30 12:36:00 UTC).into();
    for example in EXAMPLES {
        let mut names: Vec<&str> = example.headers.iter().map(|(name, _)| *name).collect();
        names.dedup();
        let header = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{}/aws4_request, SignedHeaders={}, \
             Signature={}",
            example.service,
            names.join(";"),
            example.signature
        );
        let signed = Authorization::parse(&header).unwrap();
        let made = signature(&parts(example), example.body.as_bytes(), &signed, &secret(), time);
        assert_eq!(made.unwrap(), example.signature, "{} {}", example.method, example.uri);
    }
}

const TARGET: (&str, &str) = ("x-amz-target", "BaldrApiService.DescribeClusters");
const TOKEN: (&str, &str) = ("x-amz-security-token", "token");
const NOW: OffsetDateTime = datetime!(2015-08-30 12:36:00 UTC);

/// A client, and what it does to a request after signing it.
struct Client {
    access_key: &'static str,
    service: &'static str,
    signed: Vec<(&'static str, &'static str)>,
    added: Vec<(&'static str, &'static str)>,
    body: &'static str,
    sent_body: &'static str,
    now: OffsetDateTime,
    day: &'static str,
}

fn client() -> Client {
    Client {
        access_key: "AKIDEXAMPLE",
        service: SERVICE,
        signed: vec![HOST, DATE, TARGET],
        added: vec![],
        body: "{}",
        sent_body: "{}",
        now: NOW,
        day: "20150830",
    }
}

impl Client {
    fn sends(&self) -> Result<(), String> {
        let names: Vec<&str> = self.signed.iter().map(|(name, _)| *name).collect();
        let with = |signature: &str| {
            let Self { access_key, service, day, .. } = self;
            format!(
                "AWS4-HMAC-SHA256 Credential={access_key}/{day}/us-east-1/{service}/aws4_request, \
                 SignedHeaders={}, Signature={signature}",
                names.join(";"),
            )
        };
        let unsigned = with("0");
        let unsigned = Authorization::parse(&unsigned).unwrap();
        let body = self.body.as_bytes();
        let made = signature(&self.request(&self.signed), body, &unsigned, &secret(), NOW.into()).unwrap();
        let header = with(&made);
        let sent = self.request(&[&self.signed[..], &self.added].concat());
        let known = Credentials::for_tests([
            ("AKIDEXAMPLE", secret()),
            ("ASIA", Secret { session_token: Some(Zeroizing::new("token".to_owned())), ..secret() }),
        ]);
        let signed = Authorization::parse(&header).unwrap();
        let verified = verify(&sent, self.sent_body.as_bytes(), &signed, &known, self.now.into());
        verified.map_err(|refusal| format!("{}: {refusal}", refusal.name()))
    }

    fn request(&self, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method("POST").uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }
}

#[test]
fn an_owner_of_credentials_is_let_in() {
    client().sends().unwrap();
    // A header that a proxy added.
    Client { added: vec![("via", "1.1 proxy")], ..client() }.sends().unwrap();
    let with_token = || Client { access_key: "ASIA", ..client() };
    Client { signed: vec![HOST, DATE, TARGET, TOKEN], ..with_token() }.sends().unwrap();
    Client { added: vec![TOKEN], ..with_token() }.sends().unwrap();
    for off in [Duration::minutes(15), Duration::minutes(-15)] {
        Client { now: NOW + off, ..client() }.sends().unwrap();
    }
}

#[test]
fn nobody_else_is() {
    let mismatch = "InvalidSignatureException: The request signature we calculated does not match";
    let unknown = "UnrecognizedClientException: The security token included in the request is invalid.";
    let refused = |client: Client, sentence: &str| {
        let refusal = client.sends().unwrap_err();
        assert!(refusal.starts_with(sentence), "{refusal}");
    };
    refused(Client { sent_body: "{ }", ..client() }, mismatch);
    refused(Client { added: vec![HOST], ..client() }, mismatch);
    refused(Client { access_key: "AKIDOTHER", ..client() }, unknown);
    refused(Client { added: vec![TOKEN], ..client() }, unknown);
    refused(Client { access_key: "ASIA", ..client() }, unknown);
    refused(
        Client { access_key: "ASIA", added: vec![("x-amz-security-token", "other")], ..client() },
        unknown,
    );
    refused(
        Client { service: "iam", ..client() },
        "InvalidSignatureException: Credential should be scoped to correct service: 'cloudhsm'.",
    );
    refused(
        Client { signed: vec![HOST, DATE], added: vec![TARGET], ..client() },
        "InvalidSignatureException: 'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.",
    );
    refused(
        Client { signed: vec![DATE, TARGET], added: vec![HOST], ..client() },
        "InvalidSignatureException: 'Host' must be a 'SignedHeader' in the AWS Authorization.",
    );
}

#[test]
fn a_recorded_request_is_good_for_a_quarter_of_an_hour() {
    let refusal = |client: Client| client.sends().unwrap_err();
    assert_eq!(
        refusal(Client { now: NOW + Duration::seconds(901), ..client() }),
        "InvalidSignatureException: Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z \
         (20150830T125101Z - 15 min.)"
    );
    assert_eq!(
        refusal(Client { now: NOW - Duration::seconds(901), ..client() }),
        "InvalidSignatureException: Signature not yet current: 20150830T123600Z is still later than \
         20150830T123559Z (20150830T122059Z + 15 min.)"
    );
    assert_eq!(
        refusal(Client { day: "20150831", ..client() }),
        "InvalidSignatureException: Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
         from HTTP: '20150831' != '20150830', from '20150830T123600Z'."
    );
    let other_date = |date| Client { signed: vec![HOST, TARGET, ("x-amz-date", date)], ..client() };
    for date in ["", "2015-08-30", "20150830T126000Z", "99991231T235959Z+", "Sun, 30 Aug 2015 12:36:00 GMT"] {
        let sentence =
            format!("IncompleteSignatureException: Date must be in ISO-8601 'basic format'. Got '{date}'");
        assert!(refusal(other_date(date)).starts_with(&sentence), "{date}");
    }
    for (date, day) in [("00000101T000000Z", "00000101"), ("99991231T235959Z", "99991231")] {
        let far = refusal(Client { day, ..other_date(date) });
        assert!(far.starts_with("InvalidSignatureException: Signature"), "{far}");
    }
}
