//! The operations done lately, so that a client that lost the answer may ask again.

use std::collections::VecDeque;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::Verdict;
use crate::protocol::message::OperationId;
use crate::protocol::{Refusal, Reply, Request};

/// The last changes by id, oldest first.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done(VecDeque<Performed>);

/// A change that was made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Performed {
    /// The client's.
    pub id: OperationId,
    /// What was asked, so that the id is good for nothing else.
    pub mark: Mark,
    /// To be given again.
    pub reply: Reply,
}

/// A hash of a request. A password is no part of it: a hash would let it be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark([u8; 32]);

impl Mark {
    pub(super) fn of(request: &Request) -> Self {
        let asked = match request.password() {
            Some(_) => postcard::to_stdvec(&(request.name(), request.subject())),
            None => postcard::to_stdvec(request),
        };
        // What cannot be encoded could not have been sent.
        let hash = digest(&SHA256, &asked.unwrap_or_default());
        Self(<[u8; 32]>::try_from(hash.as_ref()).unwrap_or_default())
    }
}

/// How many changes an HSM remembers. A client asks again within minutes, and one console makes few a minute.
const REMEMBERED: usize = 1024;

impl Done {
    /// What was answered under this id. An id is 128 random bits: who knows it, made the change or was told.
    pub(super) fn answer(&self, id: OperationId, request: &Request) -> Option<Verdict> {
        let earlier = self.0.iter().rev().find(|earlier| earlier.id == id)?;
        let is_same = earlier.mark == Mark::of(request);
        Some(if is_same {
            Verdict::Reply(earlier.reply.clone())
        } else {
            Verdict::Refused(Refusal::OperationIdReused)
        })
    }

    pub(super) fn remember(&mut self, performed: Performed) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(performed);
    }
}
