//! The two rounds of asking, and the kind of answer that each brings.

use std::fmt::Display;

use bytes::Bytes;

use super::{Answer, Failure, Question};
use crate::protocol::{Effect, Operation, message};

/// One of the two rounds.
pub(super) trait Round<O: Operation> {
    /// What a server says that does not refuse.
    type Reply;

    /// What goes to the server.
    fn call(question: &Question<O>) -> Bytes;

    /// Reads an answer as one to this round; `None` if it is an answer to something else.
    fn understand(answer: message::Response) -> Option<Answer<Self::Reply>>;

    /// The failure of a server that was asked and did not answer.
    fn silence(reason: &dyn Display) -> Failure;
}

/// Every server decides, and none changes anything.
pub(super) struct Rehearse;

/// Every server does it.
pub(super) struct Perform;

impl<O: Operation> Round<O> for Rehearse {
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
        Failure::NotReached(reason.to_string())
    }
}

impl<O: Operation> Round<O> for Perform {
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

    /// Where nothing can have changed, nothing is left unknown.
    fn silence(reason: &dyn Display) -> Failure {
        match O::EFFECT {
            Effect::None => Failure::NotReached(reason.to_string()),
            Effect::Session | Effect::Change => Failure::NoAnswer(reason.to_string()),
        }
    }
}
