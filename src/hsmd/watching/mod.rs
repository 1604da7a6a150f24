//! What monitoring and the service manager see of running HSMs. An HSM never waits for either.
//!
//! A [`probe`] looks at one HSM. [`metrics`] serves what it sees over HTTP, and [`notify`] reports to systemd.

pub mod metrics;
pub mod notify;
pub mod probe;
