//! What a server has to say, or why it says nothing.

use std::fmt::Display;

use crate::protocol::Refusal;
use crate::protocol::message::Round;

/// One server's answer; `Ok(None)` is a rehearsal that would succeed.
pub type Answer<R> = Result<Option<R>, Failure>;

/// Why a server did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing happened there.
    #[error("HSM CLUSTER ERROR: Server in cluster is unavailable ({0})")]
    NotReached(String),
    /// It was asked to do it, and whether it did is unknown.
    #[error("HSM CLUSTER ERROR: No answer from the server, it may or may not have done this ({0})")]
    NoAnswer(String),
    /// It said no; nothing happened there.
    #[error("{}", .0.text())]
    Refused(Refusal),
    /// It has not proved to be of the cluster, and the question holds a secret or depends on who asks.
    #[error("not allowed in limited commands mode, enable_e2e ends it")]
    Limited,
}

impl Failure {
    /// An answer that did not come. A rehearsal changes nothing, so its silence leaves nothing unknown.
    pub(super) fn silence(round: Round, reason: impl Display) -> Self {
        match round {
            Round::Rehearse => Self::NotReached(reason.to_string()),
            Round::Perform(_) => Self::NoAnswer(reason.to_string()),
        }
    }
}
