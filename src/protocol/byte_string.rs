//! Bytes, encoded and decoded at once: the same on the wire and in the store as one by one, and many times as fast.
//!
//! For `#[serde(with = …)]`.

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serializer};

/// Encodes the bytes.
///
/// # Errors
///
/// The serializer's.
pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// Reads what [`serialize`] wrote, or a sequence of bytes.
///
/// # Errors
///
/// The deserializer's.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    Ok(Bytes::deserialize(deserializer)?.into())
}

#[cfg(test)]
mod tests {
    use crate::protocol::masked::MaskedObject;

    #[test]
    fn the_encoding_is_that_of_a_sequence() {
        let object = MaskedObject((0..=255).collect());
        let encoded = postcard::to_stdvec(&object).unwrap();
        assert_eq!(encoded, postcard::to_stdvec(&object.0).unwrap());
        assert_eq!(postcard::from_bytes::<MaskedObject>(&encoded).unwrap(), object);
        let json = serde_json::to_string(&object).unwrap();
        assert_eq!(serde_json::from_str::<MaskedObject>(&json).unwrap(), object);
    }
}
