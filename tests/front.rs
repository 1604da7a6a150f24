//! The account over HTTP: both protocols, signatures, and clients that mean harm.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

#[path = "front/cbor.rs"]
mod cbor;
#[path = "front/client.rs"]
mod client;
#[path = "front/hostile.rs"]
mod hostile;
#[path = "front/json.rs"]
mod json;
#[path = "front/process.rs"]
mod process;
#[path = "front/service.rs"]
mod service;
#[path = "front/signed.rs"]
mod signed;
