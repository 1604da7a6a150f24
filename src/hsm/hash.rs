//! SHA-256, as an array.

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    // The library returns a slice; SHA-256's always fills the array.
    <[u8; 32]>::try_from(digest(&SHA256, bytes).as_ref()).unwrap_or_default()
}

/// The hash of an encoded value; `None` if it cannot be encoded.
pub(super) fn sha256_of<T: Serialize>(value: &T) -> Option<[u8; 32]> {
    // With room for all of it: a vector that grows is copied, and what it leaves is wiped.
    let size = postcard::experimental::serialized_size(value).ok()?;
    postcard::to_extend(value, Vec::with_capacity(size)).ok().map(|bytes| sha256(&bytes))
}
