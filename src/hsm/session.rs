//! Sessions and logins.

use std::fmt;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::{Case, Decide, Decided, Event, Hsm, No, Ruling, User};
use crate::protocol::Refusal;
use crate::protocol::session::{Login, Logout};
use crate::protocol::user::UserId;

/// Names one connection to one HSM; the audit log calls it the session handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionId(pub u32);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// Who is logged in where.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Sessions(OrdMap<SessionId, UserId>);

impl Sessions {
    pub(super) fn close(&mut self, session: SessionId) {
        self.0.remove(&session);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Decide for Login {
    fn decide(&self, case: &Case<'_>) -> Ruling<()> {
        let (id, user) = case.hsm.find_user(self.user_type, &self.name)?;
        if user.is_locked_out() {
            return Err(Refusal::UserLockedOut.into());
        }
        case.must_have_second_factor((id, user), self.second_factor.as_ref())?;
        if case.checked(&user.password)? {
            Ok(Decided::done(Event::LoggedIn { session: case.caller, user: id }))
        } else {
            Err(No::LoginFailed(id, Refusal::LoginFailure))
        }
    }
}

impl Decide for Logout {
    fn decide(&self, case: &Case<'_>) -> Ruling<()> {
        Ok(Decided::done(Event::LoggedOut(case.caller)))
    }
}

impl Hsm {
    /// Forgets a session whose connection has ended.
    pub fn close(&mut self, session: SessionId) {
        self.sessions.close(session);
        self.tokens.end_session(session);
        self.challenges.remove(session);
        self.keys.end_session(Some(session));
    }

    /// The user of a session.
    pub(super) fn user_of(&self, session: SessionId) -> Option<(UserId, &User)> {
        let id = self.sessions.0.get(&session)?;
        Some((*id, self.users.get(id)?))
    }

    /// Where a user is logged in.
    pub(super) fn sessions_of(&self, user: UserId) -> impl Iterator<Item = SessionId> {
        self.sessions.0.iter().filter(move |(_, of)| **of == user).map(|(session, _)| *session)
    }

    /// Whether a user is logged in on another session than `but`.
    pub(super) fn has_session(&self, user: UserId, but: Option<SessionId>) -> bool {
        self.sessions_of(user).any(|session| Some(session) != but)
    }

    pub(super) fn log_in(&mut self, session: SessionId, user: UserId) {
        // Whoever was logged in here may have been another user.
        self.tokens.end_session(session);
        self.sessions.0.insert(session, user);
        self.forget_failures(user);
    }
}
