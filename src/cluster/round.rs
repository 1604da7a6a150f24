//! The two rounds of a change, and the answers that each can bring.

use std::fmt::Display;

use bytes::Bytes;

use super::{Answer, Failure, Question};
use crate::protocol::{Effect, Operation, message};

/// One of the two rounds.
pub(super) trait RoundKind<O: Operation> {
    /// The reply of a server that does not refuse.
    type Reply;

    /// The bytes to send.
    fn call(question: &Question<O>) -> Bytes;

    /// Reads the answer to this round; `None` if it is an answer to something else.
    fn understand(answer: message::Response) -> Option<Answer<Self::Reply>>;

    /// The failure to report for a server that was asked and did not answer.
    fn silence(reason: &dyn Display) -> Failure;
}

/// The servers decide and change nothing.
pub(super) struct Rehearse;

/// The servers make the change, or reply to a read.
pub(super) struct Perform;

impl<O: Operation> RoundKind<O> for Rehearse {
    type Reply = ();

    fn call(question: &Question<O>) -> Bytes {
        question.rehearse.clone()
    }

    fn understand(answer: message::Response) -> Option<Answer<()>> {
        match answer {
            Err(refusal) => Some(Err(Failure::Refused(refusal))),
            Ok(None) => Some(Ok(())),
            Ok(Some(_)) => None,
        }
    }

    fn silence(reason: &dyn Display) -> Failure {
        // A rehearsal changes nothing, so it makes no difference whether it reached the server.
        Failure::NotReached(reason.to_string())
    }
}

impl<O: Operation> RoundKind<O> for Perform {
    type Reply = O::Reply;

    fn call(question: &Question<O>) -> Bytes {
        question.perform.clone()
    }

    fn understand(answer: message::Response) -> Option<Answer<O::Reply>> {
        match answer {
            Err(refusal) => Some(Err(Failure::Refused(refusal))),
            Ok(Some(reply)) => Some(Ok(O::reply(reply)?)),
            Ok(None) => None,
        }
    }

    fn silence(reason: &dyn Display) -> Failure {
        match O::EFFECT {
            // A read without an answer leaves no doubt: nothing can have changed.
            Effect::None => Failure::NotReached(reason.to_string()),
            // Perhaps only the answer was lost, and the login is in effect or the change is made.
            Effect::Session | Effect::Change => Failure::NoAnswer(reason.to_string()),
        }
    }
}
