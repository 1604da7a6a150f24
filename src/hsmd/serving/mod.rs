//! A request's way through a running HSM.
//!
//! [`run`] opens a folder. [`server`] accepts connections, [`strangers`] limits those without a login, and `session` speaks
//! frames on each. [`engine`] decides, `writer` makes each `batch` of decisions durable, and only then it is applied and
//! answered. [`worker`] hashes passwords, in `turns`, and makes and uses keys on other threads, and [`attester`] signs what
//! the HSM says of them. `trouble` tries a store again that has failed. [`status`] and [`requests`] count what was done,
//! and [`control`] serves the owner of the folder.

pub mod attester;
mod batch;
pub mod clock;
pub mod control;
pub mod engine;
pub mod requests;
pub mod run;
pub mod server;
mod session;
pub mod shared;
pub(crate) mod socket;
pub mod status;
pub mod strangers;
pub mod throttle;
mod trouble;
mod turns;
pub mod worker;
mod writer;
