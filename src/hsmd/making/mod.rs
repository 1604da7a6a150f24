//! How an HSM comes to be.
//!
//! [`init`] makes new ones, and [`initialize`](mod@initialize) gives a cluster an owner who was not there then. A
//! [`backup`] holds all of an HSM, and [`clone`](mod@clone) makes another cluster of it. `pki` makes the keys and
//! certificates.

pub mod backup;
pub mod clone;
pub mod init;
pub mod initialize;
pub mod pki;
