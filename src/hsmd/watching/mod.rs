//! What others learn about running HSMs, which never wait for them.
//!
//! A [`probe`] looks at one. [`metrics`] shows all to monitoring, and [`notify`] to the service manager.

pub mod metrics;
pub mod notify;
pub mod probe;
