//! What a frame holds.
//!
//! The client's first frame is a [`Hello`], the HSM's a [`Welcome`]. From then on each [`Call`] gets one
//! [`Response`], in order.

use serde::{Deserialize, Serialize};

use super::{Refusal, Reply, Request};

/// The version of everything below and of the operation table. A release that changes a byte raises it.
pub const VERSION: u16 = 1;

/// The port that an HSM listens on by default.
pub const PORT: u16 = 2225;

/// The client's first frame.
#[derive(Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The client's [`VERSION`].
    pub version: u16,
}

/// The HSM's first frame.
#[derive(Debug, Serialize, Deserialize)]
pub struct Welcome {
    /// The HSM's [`VERSION`]; the client gives up if it differs from its own.
    pub version: u16,
    /// Such as `hsm-udw0tkfg1ab`; also the name of its partition.
    pub hsm_id: String,
}

/// One question. Whoever asks it may keep the request, and send it by reference.
#[derive(Serialize, Deserialize)]
pub struct Call<R = Request> {
    /// Whether to do it, or only to say whether it would be done.
    pub round: Round,
    /// What is asked.
    pub request: R,
}

/// The two rounds of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Round {
    /// Decide and change nothing.
    Rehearse,
    /// Do it. An HSM that has already done it under this id answers as it did then and does nothing.
    Perform(OperationId),
}

/// Names one intended change; the client draws it at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OperationId(pub u128);

/// What the HSM says to a [`Call`]. A rehearsal that would succeed is `Ok(None)`.
pub type Response = Result<Option<Reply>, Refusal>;
