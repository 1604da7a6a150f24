//! The `Authorization` header of Signature Version 4:
//! `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, SignedHeaders=<a;b>, Signature=<hex>`.

use crate::service::front::refusal::Refusal;

/// Who signed what, as the header has it: nothing of it is verified yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authorization<'a> {
    pub(super) access_key: &'a str,
    pub(super) scope: Scope<'a>,
    /// In lower case.
    pub(super) signed_headers: Vec<String>,
    /// In hexadecimal digits.
    pub(super) signature: &'a str,
}

/// What a signing key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scope<'a> {
    /// As in `20150830`.
    pub(super) date: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

impl<'a> Authorization<'a> {
    pub(super) fn parse(header: &'a str) -> Result<Self, Refusal> {
        let parameters = header.trim().strip_prefix(ALGORITHM).filter(|rest| rest.starts_with([' ', ',']));
        let parameters = parameters.ok_or_else(|| {
            Refusal::IncompleteSignature(format!("Authorization header requires algorithm '{ALGORITHM}'."))
        })?;
        let named = |name: &str| {
            let value = parameters.split(',').filter_map(|parameter| parameter.trim().split_once('='));
            value.filter(|(key, _)| *key == name).map(|(_, value)| value).find(|value| !value.is_empty())
        };
        let (credential, signed_headers, signature) =
            (named("Credential"), named("SignedHeaders"), named("Signature"));
        let (Some(credential), Some(signed_headers), Some(signature)) =
            (credential, signed_headers, signature)
        else {
            let given =
                [("Credential", credential), ("SignedHeaders", signed_headers), ("Signature", signature)];
            return Err(missing(&given));
        };
        let (access_key, scope) = split(credential)?;
        let signed_headers = signed_headers.split(';').map(str::to_ascii_lowercase).collect();
        Ok(Self { access_key, scope, signed_headers, signature })
    }

    pub(super) fn signs(&self, header: &str) -> bool {
        self.signed_headers.iter().any(|signed| signed == header)
    }
}

fn missing(parameters: &[(&str, Option<&str>)]) -> Refusal {
    let missing = parameters.iter().filter(|(_, value)| value.is_none());
    let sentences = missing.map(|(name, _)| format!("Authorization header requires '{name}' parameter."));
    Refusal::IncompleteSignature(sentences.collect::<Vec<_>>().join(" "))
}

/// The access key may contain a slash, so the parts are counted from the end.
fn split(credential: &str) -> Result<(&str, Scope<'_>), Refusal> {
    let parts: Vec<&str> = credential.rsplitn(5, '/').collect();
    match parts[..] {
        ["aws4_request", service, region, date, access_key] if !access_key.is_empty() => {
            Ok((access_key, Scope { date, region, service }))
        }
        _ => Err(Refusal::IncompleteSignature(
            "Credential must have exactly 5 slash-delimited elements, e.g. \
             keyid/date/region/service/aws4_request."
                .to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: Scope<'_> = Scope { date: "20150830", region: "us-east-1", service: "cloudhsm" };

    #[test]
    fn a_header_is_read_with_and_without_blanks() {
        for comma in [", ", ",", " , "] {
            let header = [
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/cloudhsm/aws4_request",
                "SignedHeaders=Host;x-amz-date",
                "Signature=5d67",
            ];
            let header = header.join(comma);
            let read = Authorization::parse(&header).unwrap();
            assert_eq!((read.access_key, read.scope, read.signature), ("AKIDEXAMPLE", SCOPE, "5d67"));
            assert_eq!(read.signed_headers, ["host", "x-amz-date"]);
        }
    }

    #[test]
    fn an_access_key_may_contain_slashes() {
        assert_eq!(split("a/b/20150830/us-east-1/cloudhsm/aws4_request").unwrap(), ("a/b", SCOPE));
    }

    #[test]
    fn what_is_missing_is_named() {
        let refusal = |header: &str| Authorization::parse(header).unwrap_err().to_string();
        assert_eq!(
            refusal("AWS4-HMAC-SHA256 Credential=a, Signature="),
            "Authorization header requires 'SignedHeaders' parameter. Authorization header requires 'Signature' \
             parameter."
        );
        let other = "Authorization header requires algorithm 'AWS4-HMAC-SHA256'.";
        for header in ["", "Bearer token", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256X Credential=a"] {
            assert_eq!(refusal(header), other, "{header}");
        }
        for credential in ["a", "a/b/c/d", "/20150830/us-east-1/cloudhsm/aws4_request", "a/b/c/d/e"] {
            let header = format!("AWS4-HMAC-SHA256 Credential={credential},SignedHeaders=host,Signature=0");
            assert!(refusal(&header).starts_with("Credential must have exactly 5"), "{credential}");
        }
    }
}
