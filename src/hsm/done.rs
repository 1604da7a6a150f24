//! The changes made lately, so that a client that lost the answer may ask again.

use imbl::Vector;
use serde::{Deserialize, Serialize};

use super::Verdict;
use super::hash::sha256;
use crate::protocol::message::OperationId;
use crate::protocol::{Effect, Refusal, Reply, Request};

/// The last changes by id, oldest first.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done(Vector<Performed>);

/// A change that was made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Performed {
    /// The client chose it.
    pub id: OperationId,
    /// What was asked, so that the id is good for nothing else.
    pub mark: Mark,
    /// Repeated to a client that asks again.
    pub reply: Reply,
}

impl Performed {
    /// What makes a second request under the same id harmless; `None` unless a change was made.
    pub(super) fn of(id: OperationId, request: &Request, verdict: &Verdict) -> Option<Self> {
        match (request.effect(), verdict) {
            (Effect::Change, Verdict::Reply(reply)) => {
                Some(Self { id, mark: Mark::of(request)?, reply: reply.clone() })
            }
            (Effect::Change | Effect::Session | Effect::None, _) => None,
        }
    }
}

/// A hash of a request. It leaves out a password, which could be guessed from it, and all else that comes with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark([u8; 32]);

impl Mark {
    /// `None` if the request cannot be encoded: it did not come by wire, and is like no other.
    fn of(request: &Request) -> Option<Self> {
        let asked = match request.password() {
            Some(_) => postcard::to_stdvec(&(request.name(), request.subject())),
            None => postcard::to_stdvec(request),
        };
        asked.ok().map(|asked| Self(sha256(&asked)))
    }
}

/// How many changes an HSM remembers. A client asks again within minutes, and one console makes few a minute.
const REMEMBERED: usize = 1024;

impl Done {
    /// What was answered under this id, whoever asks now, before anything is said of a login or of rights: a client whose
    /// connection broke has no login when it asks again. An id is 128 random bits, and known only to whoever made the
    /// change.
    pub(super) fn answer(&self, id: OperationId, request: &Request) -> Option<Verdict> {
        let earlier = self.get(id)?;
        Some(if Mark::of(request) == Some(earlier.mark) {
            Verdict::Reply(earlier.reply.clone())
        } else {
            Verdict::Refused(Refusal::OperationIdReused)
        })
    }

    /// Whether an equal request is among the last changes, whoever made it and under whichever id.
    pub(super) fn has(&self, request: &Request) -> bool {
        self.latest(request).is_some()
    }

    /// Whether an equal request is among the last changes, and this one is not, or only before it.
    pub(super) fn has_after(&self, request: &Request, before: &Request) -> bool {
        self.latest(request).is_some_and(|latest| Some(latest) > self.latest(before))
    }

    /// The place of the last change that a request like this one made; higher is later.
    fn latest(&self, request: &Request) -> Option<usize> {
        let mark = Mark::of(request)?;
        self.0.iter().rposition(|earlier| earlier.mark == mark)
    }

    pub(super) fn get(&self, id: OperationId) -> Option<&Performed> {
        self.0.iter().rev().find(|earlier| earlier.id == id)
    }

    pub(super) fn remember(&mut self, performed: Performed) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(performed);
    }
}
