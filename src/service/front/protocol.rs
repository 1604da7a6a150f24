//! The two protocols of the service model: AWS JSON 1.1, which the CLI and most SDKs speak, and Smithy RPC v2 CBOR.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use super::refusal::Refusal;

/// How a request and its answer are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Json,
    Cbor,
}

/// An error, as clients read it.
pub(super) struct Exception<'a> {
    /// Without a namespace.
    pub(super) name: &'a str,
    /// What the shape calls its text.
    pub(super) member: &'static str,
    pub(super) text: String,
}

/// In front of a shape's name, which has to be absolute in CBOR.
const NAMESPACE: &str = "com.amazonaws.cloudhsmv2#";

impl Protocol {
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/x-amz-json-1.1",
            Self::Cbor => "application/cbor",
        }
    }

    /// The value of a request's body; an empty one is the empty structure.
    pub(super) fn read(self, body: &[u8]) -> Result<Value, Refusal> {
        if body.is_empty() {
            return Ok(Value::Object(Map::new()));
        }
        let value: Value = match self {
            Self::Json => serde_json::from_slice(body).map_err(malformed)?,
            Self::Cbor => read_cbor(body)?,
        };
        if value.is_object() { Ok(value) } else { Err(malformed("it is not a structure")) }
    }

    /// `None` if the answer cannot be written, which would be a fault of this program.
    pub(super) fn write<T: Serialize>(self, answer: &T) -> Option<Bytes> {
        let mut body = Vec::new();
        match self {
            Self::Json => serde_json::to_writer(&mut body, answer).ok()?,
            Self::Cbor => ciborium::into_writer(answer, &mut body).ok()?,
        }
        Some(body.into())
    }

    pub(super) fn write_exception(self, exception: Exception<'_>) -> Bytes {
        let Exception { name, member, text } = exception;
        let kind = match self {
            Self::Json => name.to_owned(),
            Self::Cbor => format!("{NAMESPACE}{name}"),
        };
        let members = [("__type".to_owned(), kind), (member.to_owned(), text)];
        let members: Map<_, _> =
            members.map(|(name, text)| (name, Value::String(text))).into_iter().collect();
        self.write(&members).unwrap_or_default()
    }
}

fn read_cbor(mut body: &[u8]) -> Result<Value, Refusal> {
    let value = ciborium::from_reader(&mut body).map_err(malformed)?;
    if body.is_empty() { Ok(value) } else { Err(malformed("bytes follow it")) }
}

fn malformed(reason: impl std::fmt::Display) -> Refusal {
    Refusal::Serialization(format!("The body cannot be read: {reason}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_protocols_read_what_they_write() {
        let value = json!({"ClusterId": "cluster-a", "MaxResults": 3, "TagList": [{"Key": "a", "Value": "ü"}], "No": null});
        for protocol in [Protocol::Json, Protocol::Cbor] {
            let body = protocol.write(&value).unwrap();
            assert_eq!(protocol.read(&body).unwrap(), value, "{protocol:?}");
            assert_eq!(protocol.read(b"").unwrap(), json!({}), "{protocol:?}");
        }
    }

    #[test]
    fn what_is_not_a_structure_is_refused() {
        let bodies: [(Protocol, &[u8]); 8] = [
            (Protocol::Json, b"{"),
            (Protocol::Json, b"[]"),
            (Protocol::Json, b"{} {}"),
            (Protocol::Json, b"\xff"),
            (Protocol::Cbor, b"\xa1"),
            (Protocol::Cbor, b"\x80"),
            (Protocol::Cbor, b"\xa0\xa0"),
            (Protocol::Cbor, b"\xa1\x01\x02"),
        ];
        for (protocol, body) in bodies {
            let refusal = protocol.read(body).unwrap_err();
            assert_eq!(refusal.name(), "SerializationException", "{protocol:?} {body:x?}");
        }
        let deep = [b"{\"a\":".repeat(100_000), b"{\"a\":".to_vec()].concat();
        assert!(Protocol::Json.read(&deep).is_err());
        assert!(Protocol::Cbor.read(&b"\xa1\x61a".repeat(100_000)).is_err());
    }

    #[test]
    fn a_string_of_any_claimed_length_takes_no_memory() {
        assert!(Protocol::Cbor.read(b"\x7b\x7f\xff\xff\xff\xff\xff\xff\xff").is_err());
        assert!(Protocol::Cbor.read(b"\xbb\x7f\xff\xff\xff\xff\xff\xff\xff").is_err());
        assert!(Protocol::Cbor.read(b"\xa1\x61a\x9b\x7f\xff\xff\xff\xff\xff\xff\xff").is_err());
    }
}
