//! Who may ask for what: one decision, from the operation's entry in the table.

use super::{Hsm, SessionId, User};
use crate::protocol::attribute::SetBy;
use crate::protocol::user::UserType;
use crate::protocol::{Access, Refusal, Request};

impl Hsm {
    /// Refuses a request that the session's user may not make.
    pub(super) fn permit(&self, request: &Request, caller: SessionId) -> Result<(), Refusal> {
        let user = self.caller(caller).map(|(_, user)| user);
        let is_own = user.is_some_and(|user| is_about(request, user));
        let allowed: &[UserType] = match request.access() {
            Access::Public | Access::Anyone => return Ok(()),
            Access::OfficerOrSelf if is_own => return Ok(()),
            Access::LoggedIn => &[UserType::Co, UserType::Cu, UserType::Au, UserType::PreCo],
            Access::Officer | Access::OfficerOrSelf => &[UserType::Co],
            Access::Oneself if is_own => &[UserType::Co, UserType::Cu],
            Access::Oneself => &[],
            Access::CryptoUser => &[UserType::Cu],
            Access::Overseer => &[UserType::Co, UserType::Au],
            Access::User => &[UserType::Co, UserType::Cu, UserType::Au],
            Access::ByAttribute if is_for_officers(request) => &[UserType::Co],
            Access::ByAttribute => &[UserType::Cu],
        };
        let user = user.ok_or(Refusal::NotLoggedIn)?;
        if allowed.contains(&user.user_type) { Ok(()) } else { Err(Refusal::NotAuthorized) }
    }
}

fn is_for_officers(request: &Request) -> bool {
    matches!(request, Request::SetAttribute(op) if op.attribute.set_by() == SetBy::Officer)
}

/// Whether the request names this user.
pub(super) fn is_about(request: &Request, user: &User) -> bool {
    request.subject().is_some_and(|(user_type, name)| user.is_called(user_type, name))
}
