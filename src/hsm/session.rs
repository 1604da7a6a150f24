//! Sessions and logins.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Env, Event, Hsm, No, User, Work, Worked};
use crate::protocol::Refusal;
use crate::protocol::session::Login;
use crate::protocol::user::UserId;

/// Names one connection to one HSM; the audit log's session handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionId(pub u32);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// Who is logged in where.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Sessions(BTreeMap<SessionId, UserId>);

impl Sessions {
    pub(super) fn close(&mut self, session: SessionId) {
        self.0.remove(&session);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Hsm {
    /// Forgets a session whose connection has ended.
    pub fn close(&mut self, session: SessionId) {
        self.sessions.close(session);
        self.tokens.end_session(session);
        self.challenges.remove(&session);
        self.keys.end_session(Some(session));
    }

    pub(super) fn login(
        &self,
        op: &Login,
        caller: SessionId,
        env: &Env<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), No> {
        let (id, user) = self.find_user(op.user_type, &op.name)?;
        if user.is_locked_out() {
            return Err(Refusal::UserLockedOut.into());
        }
        self.must_have_second_factor((id, user), op.second_factor.as_ref(), caller, events)?;
        if password_is_right(user, env)? {
            events.push(Event::LoggedIn { session: caller, user: id });
            return Ok(());
        }
        events.push(Event::LoginFailed(id));
        Err(Refusal::LoginFailure.into())
    }

    /// The user of a session.
    pub(super) fn caller(&self, session: SessionId) -> Option<(UserId, &User)> {
        let id = self.sessions.0.get(&session)?;
        Some((*id, self.users.get(id)?))
    }

    /// Whether a user is logged in on a session that `but` does not name.
    pub(super) fn has_session(&self, user: UserId, but: Option<SessionId>) -> bool {
        self.sessions.0.iter().any(|(session, of)| *of == user && Some(*session) != but)
    }

    pub(super) fn log_in(&mut self, session: SessionId, user: UserId) {
        self.tokens.end_session(session);
        self.sessions.0.insert(session, user);
        self.forget_failures(user);
    }
}

fn password_is_right(user: &User, env: &Env<'_>) -> Result<bool, No> {
    match env.worked {
        Some(Worked::Checked { hash, right }) if *hash == user.password => Ok(*right),
        _ => Err(No::Needs(Work::CheckPassword(user.password.clone()))),
    }
}
