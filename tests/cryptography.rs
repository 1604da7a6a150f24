//! The HSM's cryptography against openssl: what goes out is read there, and what openssl made comes in.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

#[path = "cryptography/desk.rs"]
mod desk;
#[path = "cryptography/keys.rs"]
mod keys;
#[path = "cryptography/malformed.rs"]
mod malformed;
#[path = "cryptography/signatures.rs"]
mod signatures;
#[path = "cryptography/wrapping.rs"]
mod wrapping;
