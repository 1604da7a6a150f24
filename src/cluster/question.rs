//! An operation on its way to several servers.

use std::marker::PhantomData;

use aws_lc_rs::rand;
use bytes::Bytes;

use super::answer::{Answer, Failure};
use super::server::LoggedIn;
use crate::protocol::message::{self, Call, OperationId, Round};
use crate::protocol::user::UserType;
use crate::protocol::{Operation, Request};
use crate::wire::frame::{self, Garbage, MAX_CALL};

/// An operation, encoded once for all servers and both rounds, under one id.
pub struct Question<O> {
    id: OperationId,
    rehearse: Bytes,
    perform: Bytes,
    login: Login,
    operation: PhantomData<O>,
}

/// Why an operation cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum Unaskable {
    /// An HSM would hang up on it.
    #[error("the arguments are too long")]
    TooLong,
    /// There is no id for it.
    #[error("no random numbers could be had")]
    NoRandom,
    /// It cannot be encoded, which no operation's type allows.
    #[error("the operation cannot be encoded")]
    Unencodable(#[from] Garbage),
}

/// What a success makes of the connection's login.
pub(super) enum Login {
    Unchanged,
    Now(LoggedIn),
    /// A PRECO that changes its password goes on as a CO.
    Activated,
    Gone,
}

impl Login {
    fn after(request: &Request) -> Self {
        if let Request::Login(login) = request {
            return Self::Now(LoggedIn { user_type: login.user_type, name: login.name.clone() });
        }
        if let Request::ChangePassword(op) = request
            && op.user_type == UserType::PreCo
        {
            return Self::Activated;
        }
        if matches!(request, Request::Logout(_)) { Self::Gone } else { Self::Unchanged }
    }
}

impl<O: Operation> Question<O> {
    /// Prepares an operation under a new id.
    ///
    /// # Errors
    ///
    /// If it is longer than an HSM takes, or there are no random numbers.
    pub fn new(operation: O) -> Result<Self, Unaskable> {
        let mut id = [0; 16];
        rand::fill(&mut id).map_err(|_| Unaskable::NoRandom)?;
        let id = OperationId(u128::from_be_bytes(id));
        let request = operation.into_request();
        let login = Login::after(&request);
        let rehearse = frame::encode(&Call { round: Round::Rehearse, request: request.clone() })?;
        let perform = frame::encode(&Call { round: Round::Perform(id), request })?;
        if perform.len() > MAX_CALL {
            return Err(Unaskable::TooLong);
        }
        Ok(Self { id, rehearse, perform, login, operation: PhantomData })
    }

    /// The round in which it is done; asking again in this round does not do it again.
    #[must_use]
    pub fn perform(&self) -> Round {
        Round::Perform(self.id)
    }

    pub(super) fn call(&self, round: Round) -> Bytes {
        match round {
            Round::Rehearse => self.rehearse.clone(),
            Round::Perform(_) => self.perform.clone(),
        }
    }

    pub(super) fn login(&self) -> &Login {
        &self.login
    }

    /// Reads an answer as one to this question; `None` if it is another's.
    pub(super) fn understand(&self, round: Round, answer: message::Answer) -> Option<Answer<O::Reply>> {
        match (round, answer) {
            (_, Err(refusal)) => Some(Err(Failure::Refused(refusal))),
            (Round::Rehearse, Ok(None)) => Some(Ok(None)),
            (Round::Perform(_), Ok(Some(reply))) => Some(Ok(Some(O::reply(reply)?))),
            (Round::Rehearse, Ok(Some(_))) | (Round::Perform(_), Ok(None)) => None,
        }
    }
}
