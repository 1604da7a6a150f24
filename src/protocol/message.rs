//! What stands in a frame.
//!
//! The client's first frame is a [`Hello`], the HSM's a [`Welcome`]. From then on each [`Call`] gets one
//! [`Answer`], in order.

use serde::{Deserialize, Serialize};

use super::{Refusal, Reply, Request};

/// The version of everything below and of the operation table. A release that changes a byte raises it.
pub const VERSION: u16 = 1;

/// Port of an HSM for management clients.
pub const PORT: u16 = 2225;

/// The client's first frame.
#[derive(Debug, Serialize, Deserialize)]
pub struct Hello {
    /// What the client speaks.
    pub version: u16,
}

/// The HSM's first frame.
#[derive(Debug, Serialize, Deserialize)]
pub struct Welcome {
    /// What the HSM speaks; the client gives up if it is not its own.
    pub version: u16,
    /// Such as `hsm-udw0tkfg1ab`; also the name of its partition.
    pub hsm_id: String,
}

/// One question.
#[derive(Serialize, Deserialize)]
pub struct Call {
    /// Whether the HSM is to do it.
    pub round: Round,
    /// What it is to do.
    pub request: Request,
}

/// The two rounds of a change, §[`crate::cluster`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Round {
    /// Decide and change nothing.
    Rehearse,
    /// Do it. An HSM that has already done this id answers as it did then and does nothing.
    Perform(OperationId),
}

/// Names one intended change, made by the client from randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OperationId(pub u128);

/// What the HSM says to a [`Call`]. A rehearsal that would succeed is `Ok(None)`.
pub type Answer = Result<Option<Reply>, Refusal>;
