//! An AWS account in a folder, and the HSMs in it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

#[path = "service/account.rs"]
mod account;
#[path = "service/deaths.rs"]
mod deaths;
#[path = "service/life.rs"]
mod life;
#[path = "service/reach.rs"]
mod reach;
#[path = "service/time.rs"]
mod time;
