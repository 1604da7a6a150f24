//! Who may ask for what: one decision, from the operation's entry in the table.

use super::{Hsm, SessionId, User};
use crate::protocol::user::UserType;
use crate::protocol::{Access, Refusal, Request};

impl Hsm {
    /// Refuses a request that the session's user may not make.
    pub(super) fn permit(&self, request: &Request, caller: SessionId) -> Result<(), Refusal> {
        let user = self.caller(caller).map(|(_, user)| user);
        match request.access() {
            Access::Public | Access::Anyone => Ok(()),
            Access::LoggedIn => user.map(|_| ()).ok_or(Refusal::NotLoggedIn),
            Access::Officer => is_officer(user),
            Access::OfficerOrSelf if user.is_some_and(|user| is_about(request, user)) => Ok(()),
            Access::OfficerOrSelf => is_officer(user),
        }
    }
}

fn is_officer(user: Option<&User>) -> Result<(), Refusal> {
    match user.ok_or(Refusal::NotLoggedIn)?.user_type {
        UserType::Co => Ok(()),
        UserType::Unknown | UserType::Cu | UserType::Au | UserType::PreCo => Err(Refusal::NotAuthorized),
    }
}

fn is_about(request: &Request, user: &User) -> bool {
    request.subject().is_some_and(|(user_type, name)| user.is_called(user_type, name))
}
