//! An operation, encoded for sending to several servers.

use std::marker::PhantomData;

use aws_lc_rs::rand;
use bytes::Bytes;

use super::login::LoginEffect;
use crate::protocol::masked::MAX_BATCH_BYTES;
use crate::protocol::message::{Call, OperationId, Round};
use crate::protocol::{Operation, Request};
use crate::wire::frame::{self, Garbage, MAX_BATCH_CALL, MAX_CALL};

// A batch fits.
const _: () = assert!(MAX_BATCH_BYTES + 8192 <= MAX_BATCH_CALL);

/// An operation, encoded once for all servers and both rounds, under one id.
///
/// An HSM that has made the change of an id repeats its answer, so performing the same question twice makes the change
/// once.
pub struct Question<O> {
    pub(super) rehearse: Bytes,
    pub(super) perform: Bytes,
    pub(super) login: LoginEffect,
    operation: PhantomData<O>,
}

/// Why an operation cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum Unaskable {
    /// Longer than the longest request that an HSM accepts; it would close the connection.
    #[error("the arguments are too long")]
    TooLong,
    /// There is no id for the operation.
    #[error("no random numbers are available")]
    NoRandom,
    /// A fault of this program: every operation can be encoded.
    #[error("the operation cannot be encoded")]
    Unencodable(#[from] Garbage),
}

impl<O: Operation> Question<O> {
    /// Prepares an operation under a new id.
    ///
    /// # Errors
    ///
    /// If the operation is longer than an HSM accepts, or no random numbers are available.
    pub fn new(operation: O) -> Result<Self, Unaskable> {
        // Random, because no two consoles, which do not know each other, may ever use the same id.
        let mut id = [0; 16];
        rand::fill(&mut id).map_err(|_| Unaskable::NoRandom)?;
        let id = OperationId(u128::from_be_bytes(id));
        let request = operation.into_request();
        let login = LoginEffect::of(&request);
        let limit = if matches!(request, Request::InsertKeys(_)) { MAX_BATCH_CALL } else { MAX_CALL };
        let rehearse = frame::encode(&Call { round: Round::Rehearse, request: &request })?;
        let perform = frame::encode(&Call { round: Round::Perform(id), request: &request })?;
        // The rehearsal is shorter: it has no id.
        if perform.len() > limit {
            return Err(Unaskable::TooLong);
        }
        Ok(Self { rehearse, perform, login, operation: PhantomData })
    }
}
