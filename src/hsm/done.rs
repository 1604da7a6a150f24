//! The changes made lately, so that a client that lost the answer may ask again.

use imbl::Vector;
use serde::{Deserialize, Serialize};

use super::hash::sha256;
use super::user::{PasswordHash, User};
use super::{Event, QuorumKey, Verdict};
use crate::protocol::message::OperationId;
use crate::protocol::user::UserId;
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
    /// What it gave a user, if there was a password in the request.
    pub gave: Option<Credentials>,
}

/// What a user got to log in with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Who chose the password, and so knows it.
    pub by: UserId,
    /// Its hash.
    pub password: PasswordHash,
    /// `None` if only the password was changed.
    second_factor: Option<QuorumKey>,
}

impl Credentials {
    /// Of the user whom this event gives a password.
    fn of(event: &Event, by: UserId) -> Option<Self> {
        let (password, second_factor) = if let Event::UserCreated { user, .. } = event {
            (&user.password, user.second_factor())
        } else if let Event::PasswordChanged { password, .. } = event {
            (password, None)
        } else {
            return None;
        };
        Some(Self { by, password: password.clone(), second_factor: second_factor.cloned() })
    }

    /// Whether the user has had no others since.
    pub(super) fn are_those_of(&self, user: &User) -> bool {
        self.password == user.password && self.second_factor.as_ref() == user.second_factor()
    }
}

impl Performed {
    /// What makes a second request under the same id harmless; `None` unless a change was made. `by` is who is logged in.
    pub(super) fn of(
        id: OperationId,
        request: &Request,
        by: Option<UserId>,
        verdict: &Verdict,
        events: &[Event],
    ) -> Option<Self> {
        let (Effect::Change, Verdict::Reply(reply)) = (request.effect(), verdict) else { return None };
        let gave = |by| events.iter().find_map(|event| Credentials::of(event, by));
        Some(Self {
            id,
            mark: Mark::of(request)?,
            reply: reply.clone(),
            gave: request.password().and(by).and_then(gave),
        })
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
    /// What was done under this id, whoever asks now, before anything is said of a login or of rights: a client whose
    /// connection broke has no login when it asks again. An id is 128 random bits, and known only to whoever made the
    /// change. It is good for an equal request only.
    pub(super) fn earlier(&self, id: OperationId, request: &Request) -> Option<Result<&Performed, Refusal>> {
        let earlier = self.get(id)?;
        let is_equal = Mark::of(request) == Some(earlier.mark);
        Some(if is_equal { Ok(earlier) } else { Err(Refusal::OperationIdReused) })
    }

    /// The last change that an equal request made, whoever made it and under whichever id.
    pub(super) fn last(&self, request: &Request) -> Option<&Performed> {
        let mark = Mark::of(request)?;
        self.0.iter().rev().find(|earlier| earlier.mark == mark)
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
