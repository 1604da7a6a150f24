//! Keys and their attributes.
//!
//! [`generate`](fn@generate) makes keys; [`secret`], [`private`] and [`public`] take over values from outside. All
//! return [`Fresh`] keys: values in the one form in which [`signing`](super::signing) and [`wrapping`](super::wrapping)
//! take them, with the attributes that follow from kind and value. There is a file for each kind.

mod dsa;
mod dsa_domain;
pub(super) mod ec;
mod encoding;
mod fresh;
mod generate;
mod given;
mod rsa;
mod symmetric;

pub use fresh::Fresh;
pub use generate::{NotGenerated, generate};
pub use given::{NotAKey, private, public, secret};
