//! Making HSMs.
//!
//! [`init`] makes new ones, with the keys and certificates of [`pki`]. [`initialize`](mod@initialize) installs what
//! the owner's CA signed, where that was not done at once. A [`backup`] holds all of one HSM, and
//! [`clone`](mod@clone) makes a cluster from it. [`member`] makes the HSMs of a cluster that grows.
//! [`unlock`](mod@unlock) lets a user in again.

pub mod backup;
pub mod clone;
pub mod init;
pub mod initialize;
pub mod member;
pub mod pki;
pub mod unlock;
pub mod zeroize;
