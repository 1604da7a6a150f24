//! Reads an input, and says of a wrong one which member is wrong, in the words of AWS.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::{Path, Segment};

use crate::service::failure::Failure;
use crate::service::operation::Operation;

/// Why an input is not the operation's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Undecodable {
    #[error("{reason} at '{place}'")]
    Type { place: String, reason: String },
    #[error(transparent)]
    Value(#[from] Failure),
}

/// Reads the input of an operation. Both protocols are decoded to a value of JSON first: no input has a member, such as a
/// timestamp, that JSON lacks.
///
/// # Errors
///
/// The first member of another type than the model's; or [`Failure::InvalidRequest`], which names the first member that
/// is missing or beyond the model's limits.
pub fn decode<T: DeserializeOwned>(operation: Operation, body: &Value) -> Result<T, Undecodable> {
    let Value::Object(members) = body else {
        return Err(Failure::invalid("the input is not a structure").into());
    };
    // A member that is null counts as absent.
    let given: Map<_, _> = members.clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
    if let Some(missing) = operation.required().iter().find(|name| !given.contains_key(**name)) {
        return Err(complaint("null", &lower(missing), "Member must not be null").into());
    }
    let given = Value::Object(given);
    serde_path_to_error::deserialize(&given).map_err(|error| {
        let (place, reason) = (place(error.path()), error.inner().to_string());
        // serde has no other mark of it.
        if reason.starts_with("invalid type") {
            return Undecodable::Type { place, reason };
        }
        let wrong = follow(&given, error.path()).map(shown).unwrap_or_default();
        complaint(&wrong, &place, &reason).into()
    })
}

fn complaint(value: &str, place: &str, constraint: &str) -> Failure {
    Failure::invalid(format!(
        "1 validation error detected: Value {value} at '{place}' failed to satisfy constraint: {constraint}"
    ))
}

/// The value at a path.
fn follow<'a>(mut value: &'a Value, path: &Path) -> Option<&'a Value> {
    for segment in path {
        value = match segment {
            Segment::Seq { index } => value.get(index)?,
            Segment::Map { key } => value.get(key)?,
            Segment::Enum { .. } | Segment::Unknown => return None,
        };
    }
    Some(value)
}

/// Longer ones, such as certificates, are cut.
fn shown(value: &Value) -> String {
    const MAX: usize = 100;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.char_indices().nth(MAX) {
        Some((end, _)) => format!("'{}...'", text.get(..end).unwrap_or_default()),
        None => format!("'{text}'"),
    }
}

/// `tagList.1.member.key` is the key of the first tag.
fn place(path: &Path) -> String {
    let segments = path.iter().map(|segment| match segment {
        Segment::Seq { index } => format!("{}.member", index.saturating_add(1)),
        Segment::Map { key } => lower(key),
        Segment::Enum { variant } => variant.clone(),
        Segment::Unknown => "?".to_owned(),
    });
    segments.collect::<Vec<_>>().join(".")
}

fn lower(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Undecodable, decode};
    use crate::service::operation::Operation;
    use crate::service::shapes::cluster::CreateCluster;
    use crate::service::shapes::timestamp::Timestamp;

    fn complaint(body: &serde_json::Value) -> String {
        decode::<CreateCluster>(Operation::CreateCluster, body).unwrap_err().to_string()
    }

    #[test]
    fn a_wrong_member_is_named_as_aws_names_it() {
        let subnets = json!(["subnet-0e358c43"]);
        let error = complaint(&json!({"HsmType": null, "SubnetIds": subnets}));
        assert_eq!(
            error,
            "1 validation error detected: Value null at 'hsmType' failed to satisfy constraint: Member must not be null"
        );
        let error = complaint(&json!({"HsmType": "hsm1.medium", "SubnetIds": ["subnet-0e358c43", "x"]}));
        assert_eq!(
            error,
            "1 validation error detected: Value 'x' at 'subnetIds.2.member' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: subnet-[0-9a-fA-F]{8,17}"
        );
        let error = complaint(&json!({"HsmType": "hsm1.medium", "SubnetIds": []}));
        assert!(
            error.ends_with(
                "'subnetIds' failed to satisfy constraint: Member must have length greater than or equal to 1"
            ),
            "{error}"
        );
        let tag = json!({"Key": "a\u{e9}b", "Value": "<"});
        let error = complaint(&json!({"HsmType": "hsm1.medium", "SubnetIds": subnets, "TagList": [tag]}));
        assert!(error.contains("Value '<' at 'tagList.1.member.value'"), "{error}");
    }

    #[test]
    fn a_wrong_type_is_another_mistake() {
        let wrong = [
            (
                json!({"HsmType": 3, "SubnetIds": []}),
                "invalid type: integer `3`, expected a string at 'hsmType'",
            ),
            (
                json!({"HsmType": "hsm1.medium", "SubnetIds": {}}),
                "invalid type: map, expected a sequence at 'subnetIds'",
            ),
        ];
        for (body, reason) in wrong {
            let error = decode::<CreateCluster>(Operation::CreateCluster, &body).unwrap_err();
            assert!(matches!(error, Undecodable::Type { .. }), "{error:?}");
            assert_eq!(error.to_string(), reason);
        }
    }

    #[test]
    fn a_moment_is_a_number_in_json_and_has_a_tag_in_cbor() {
        let moment = Timestamp(1_510_947_127_343_000);
        assert_eq!(serde_json::to_string(&moment).unwrap(), "1510947127.343");
        let mut cbor = Vec::new();
        ciborium::into_writer(&moment, &mut cbor).unwrap();
        assert_eq!(cbor[..2], [0xc1, 0xfb]);
    }
}
