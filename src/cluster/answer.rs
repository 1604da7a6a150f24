//! What a server has to say, or why it says nothing.

use std::fmt::Display;

use crate::protocol::message::Round;
use crate::protocol::{Effect, Refusal};

/// One server's answer; `Ok(None)` is a rehearsal that would succeed.
pub type Answer<R> = Result<Option<R>, Failure>;

/// Why a server did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing happened there.
    #[error("HSM CLUSTER ERROR: Server in cluster is unavailable ({0})")]
    NotReached(String),
    /// The operator did not wait for it; nothing happened there.
    #[error("interrupted before the server answered")]
    Interrupted,
    /// It was asked to do it, and whether it did is unknown.
    #[error("HSM CLUSTER ERROR: No answer from the server, it may or may not have done this ({0})")]
    NoAnswer(String),
    /// It said no; nothing happened there.
    #[error("{}", .0.text())]
    Refused(Refusal),
    /// It has not proved to be of the cluster, and the question holds a secret or depends on who asks.
    #[error("not allowed in limited commands mode, until enable_e2e succeeds")]
    Limited,
}

impl Failure {
    /// An answer that was not waited for.
    pub(super) fn interrupted(round: Round, effect: Effect) -> Self {
        match Self::silence(round, effect, "interrupted") {
            Self::NotReached(_) => Self::Interrupted,
            other => other,
        }
    }

    /// An answer that did not come. Where nothing can have changed, nothing is left unknown.
    pub(super) fn silence(round: Round, effect: Effect, reason: impl Display) -> Self {
        match (round, effect) {
            (Round::Rehearse, _) | (Round::Perform(_), Effect::None) => Self::NotReached(reason.to_string()),
            (Round::Perform(_), Effect::Session | Effect::Change) => Self::NoAnswer(reason.to_string()),
        }
    }
}
