//! Faults on purpose: what a runbook does when a server refuses, stalls, dies or differs can be tried.
//!
//! The HSM itself stays as it is. A [`Relay`] in front of it fails on its behalf, and holds the cluster's key, so that a
//! client cannot tell the two apart. [`Directed`] is an HSM and its relay, which obey a [`Direction`].

mod connection;
mod directed;
mod direction;
mod fault;
mod plan;
mod relay;

pub use directed::{DirectError, Directed, StartError, obey};
pub use direction::{Direction, NoDirection, What};
pub use fault::{Door, Fault};
pub use relay::{Relay, RelayError};
