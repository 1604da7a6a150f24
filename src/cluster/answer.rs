//! What a server has to say, or why it says nothing.

use crate::protocol::Refusal;

/// One server's answer.
pub type Answer<R> = Result<R, Failure>;

/// Why a server did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing happened there.
    #[error("HSM CLUSTER ERROR: Server in cluster is unavailable ({0})")]
    NotReached(String),
    /// The operator did not wait for it; nothing happened there.
    #[error("interrupted before the server answered")]
    Interrupted,
    /// It was asked, and whether it did it is unknown.
    #[error("HSM CLUSTER ERROR: No answer from the server; it may or may not have done this ({0})")]
    NoAnswer(String),
    /// It refused; nothing happened there.
    #[error("{}", .0.text())]
    Refused(Refusal),
    /// It has not proved to be of the cluster, and the question holds a secret or depends on who asks.
    #[error("not allowed in limited commands mode until enable_e2e succeeds")]
    Limited,
}

impl Failure {
    /// An interrupted wait: what is known to have had no effect is only said to be interrupted.
    pub(super) fn interrupted(silence: Self) -> Self {
        match silence {
            Self::NotReached(_) => Self::Interrupted,
            other => other,
        }
    }
}
