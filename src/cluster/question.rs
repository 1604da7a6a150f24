//! An operation on its way to several servers.

use std::marker::PhantomData;

use aws_lc_rs::rand;
use bytes::Bytes;

use super::login::LoginEffect;
use crate::protocol::Operation;
use crate::protocol::message::{Call, OperationId, Round};
use crate::wire::frame::{self, Garbage, MAX_CALL};

/// An operation, encoded once for all servers and both rounds, under one id.
///
/// An HSM that has done a change under an id answers as it did then, so performing the same question twice does not
/// do it twice.
pub struct Question<O> {
    pub(super) rehearse: Bytes,
    pub(super) perform: Bytes,
    pub(super) login: LoginEffect,
    operation: PhantomData<O>,
}

/// Why an operation cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum Unaskable {
    /// An HSM would hang up on it.
    #[error("the arguments are too long")]
    TooLong,
    /// There is no id for it.
    #[error("no random numbers are available")]
    NoRandom,
    /// It cannot be encoded, which no operation's type allows.
    #[error("the operation cannot be encoded")]
    Unencodable(#[from] Garbage),
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
        let login = LoginEffect::of(&request);
        let rehearse = frame::encode(&Call { round: Round::Rehearse, request: request.clone() })?;
        let perform = frame::encode(&Call { round: Round::Perform(id), request })?;
        if perform.len() > MAX_CALL {
            return Err(Unaskable::TooLong);
        }
        Ok(Self { rehearse, perform, login, operation: PhantomData })
    }
}
