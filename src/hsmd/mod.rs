//! The daemon around [`Hsm`](crate::hsm::Hsm): a data folder, a store, a clock and a network.
//!
//! A request's way: [`server`] accepts, `session` speaks TLS frames, [`engine`] decides, [`store`] makes the
//! decision durable, and only then it is applied and answered. [`folder`] says what an HSM's folder holds,
//! [`init`] makes one, [`initialize`](mod@initialize) gives it an owner who was not there then, and [`run`] serves
//! it.
//!
//! [`daemon`] is `hsmd run`: all HSMs of a folder, [`metrics`] about them for monitoring, and [`notify`] for the
//! service manager. Both only [`watch`]: an HSM never waits for them.

pub mod backup;
pub mod clock;
pub mod clone;
pub mod control;
pub mod daemon;
pub mod engine;
pub mod folder;
mod generate;
pub mod init;
pub mod initialize;
pub mod metrics;
pub mod notify;
pub mod password;
mod pki;
pub mod report;
pub mod requests;
pub mod run;
pub mod server;
mod session;
pub mod settings;
mod sign;
pub mod store;
pub mod vault;
pub mod watch;
pub mod worker;
mod writer;
