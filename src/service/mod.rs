//! The service around the HSMs: an AWS account in a folder, with the operations of CloudHSM's control plane.
//!
//! * [`shapes`]: what the operations take and give, as in the vendor's service model, which says what a member may be.
//! * [`operation`]: the operations' names. [`failure`]: how they fail.
//! * [`account`]: what the operations do: clusters, HSMs that run, and backups, in a folder.
//! * [`front`]: the account over HTTP, as AWS's clients call it. [`run`] serves it, and [`check`] asks
//!   whether it is well. [`control`]: what only the folder's owner can ask.

pub mod account;
pub mod check;
pub mod control;
pub mod failure;
pub mod front;
pub mod operation;
pub mod run;
pub mod shapes;
