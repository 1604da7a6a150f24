//! The operations done lately, so that a client that lost the answer may ask again.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::protocol::message::OperationId;
use crate::protocol::{Refusal, Reply, Request};

/// The last changes by id, oldest first.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done(VecDeque<(OperationId, Reply)>);

/// How many changes an HSM remembers. A client asks again within minutes, and one console makes few a minute.
const REMEMBERED: usize = 1024;

impl Done {
    /// What was answered under this id. An id is 128 random bits: who knows it, made the change or was told.
    pub(super) fn answer(&self, id: OperationId, request: &Request) -> Option<Outcome> {
        let (_, reply) = self.0.iter().rev().find(|(done, _)| *done == id)?;
        Some(if reply.name() == request.name() {
            Outcome::Reply(reply.clone())
        } else {
            Outcome::Refused(Refusal::OperationIdReused)
        })
    }

    pub(super) fn remember(&mut self, id: OperationId, reply: Reply) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((id, reply));
    }
}
