//! What a server answered, or why there is no answer.

use crate::protocol::Refusal;

/// One server's answer.
pub type Answer<R> = Result<R, Failure>;

/// Why a server did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The request did not reach it, or could not change anything: nothing happened there.
    #[error("HSM CLUSTER ERROR: Server in cluster is unavailable ({0})")]
    NotReached(String),
    /// The operator interrupted the command before the server answered; nothing happened there.
    #[error("interrupted before the server answered")]
    Interrupted,
    /// It was asked to make a change and did not answer; whether it made the change is unknown.
    #[error("HSM CLUSTER ERROR: No answer from the server; it may or may not have done this ({0})")]
    NoAnswer(String),
    /// It refused and changed nothing, apart from counting a failed login.
    #[error("{}", .0.text())]
    Refused(Refusal),
    /// It has not proved that it belongs to the cluster, so only public questions are sent to it.
    #[error("not allowed in limited commands mode until enable_e2e succeeds")]
    Limited,
}

impl Failure {
    /// The failure of an interrupted call, given the failure that the silence alone would be.
    ///
    /// A call that may have changed something stays [`NoAnswer`](Self::NoAnswer): the interrupt does not undo it.
    pub(super) fn interrupted(silence: Self) -> Self {
        match silence {
            Self::NotReached(_) => Self::Interrupted,
            other => other,
        }
    }
}
