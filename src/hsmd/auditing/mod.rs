//! The audit log as the owner of an HSM's folder sees it.
//!
//! A [`log`] is an HSM's, which is running, stopped, or on a disk that cannot be written. A [`piece`] of it is a file
//! that verifies by itself, one [`line`](mod@line) of JSON for each record. What is exported can be pruned.

pub mod line;
pub mod log;
pub mod piece;
