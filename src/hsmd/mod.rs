//! The daemon around [`Hsm`](crate::hsm::Hsm): a data folder, a store, a clock and a network.
//!
//! Each of these uses only those below it:
//!
//! * [`daemon`] is `hsmd run`: it serves all HSMs of a folder until a signal.
//! * [`watching`]: what monitoring and the service manager see. An HSM never waits for them.
//! * [`making`]: new HSMs and clusters, their initialization, backups and clones.
//! * [`auditing`]: the audit log as the owner of an HSM's folder reads, exports and prunes it.
//! * [`faults`]: HSMs that fail on purpose, behind relays.
//! * [`serving`]: a request's way through a running HSM.
//! * [`following`]: how the HSMs of a cluster bring each other's keys up to date.
//! * [`keeping`]: what an HSM keeps on disk, and how it is encrypted there.
//! * [`cryptography`]: what an HSM computes with keys in plaintext.
//! * [`process`]: what `hsmd` asks of the system for its own process.

pub mod auditing;
pub mod cryptography;
pub mod daemon;
pub mod faults;
pub mod following;
pub mod keeping;
pub mod making;
pub mod process;
pub mod serving;
pub mod watching;
