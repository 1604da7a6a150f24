//! The daemon around [`Hsm`](crate::hsm::Hsm): a data folder, a store, a clock and a network.
//!
//! Arrows go down.
//!
//! * [`daemon`] is `hsmd run`: serves all HSMs of a folder, and lets others watch them.
//! * [`watching`]: what monitoring and the service manager learn. An HSM never waits for them.
//! * [`making`]: how an HSM comes to be, gets its owner, and is backed up and cloned.
//! * [`serving`]: a request's way through a running HSM.
//! * [`keeping`]: what an HSM keeps on disk, and the cryptography that protects it.

pub mod daemon;
pub mod keeping;
pub mod making;
pub mod serving;
pub mod watching;
