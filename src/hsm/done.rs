//! The operations done lately, so that a client that lost the answer may ask again.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::protocol::message::OperationId;
use crate::protocol::user::UserType;
use crate::protocol::{Refusal, Reply, Request};

/// The last changes by id, oldest first.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done(VecDeque<Performed>);

/// A change that was made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Performed {
    /// The client's.
    pub id: OperationId,
    /// Whom it was about, so that the id is good for nothing else.
    pub subject: Option<(UserType, String)>,
    /// To be given again.
    pub reply: Reply,
}

/// How many changes an HSM remembers. A client asks again within minutes, and one console makes few a minute.
const REMEMBERED: usize = 1024;

impl Done {
    /// What was answered under this id. An id is 128 random bits: who knows it, made the change or was told.
    pub(super) fn answer(&self, id: OperationId, request: &Request) -> Option<Outcome> {
        let earlier = self.0.iter().rev().find(|earlier| earlier.id == id)?;
        let is_same = earlier.reply.name() == request.name()
            && earlier.subject.as_ref().map(|(user_type, name)| (*user_type, name.as_str()))
                == request.subject();
        Some(if is_same {
            Outcome::Reply(earlier.reply.clone())
        } else {
            Outcome::Refused(Refusal::OperationIdReused)
        })
    }

    pub(super) fn remember(&mut self, performed: Performed) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(performed);
    }
}
