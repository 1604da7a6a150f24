//! SHA-256, as an array.

use aws_lc_rs::digest::{SHA256, digest};

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    // The library returns a slice; SHA-256's always fills the array.
    <[u8; 32]>::try_from(digest(&SHA256, bytes).as_ref()).unwrap_or_default()
}
