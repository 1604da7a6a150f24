//! Who may ask for what: one decision, from what the request says of itself.

use super::{Case, User};
use crate::protocol::user::UserType;
use crate::protocol::{Access, Refusal, Request};

impl Case<'_> {
    /// Refuses a request that the session's user may not make.
    pub(super) fn permit(&self, request: &Request) -> Result<(), Refusal> {
        let user = self.user().map(|(_, user)| user);
        let is_own = user.is_ok_and(|user| is_about(request, user));
        let allowed: &[UserType] = match request.access() {
            Access::Public | Access::Anyone => return Ok(()),
            Access::OfficerOrSelf if is_own => return Ok(()),
            Access::LoggedIn => &[UserType::Co, UserType::Cu, UserType::Au, UserType::PreCo],
            Access::Officer | Access::OfficerOrSelf => &[UserType::Co],
            Access::Oneself if is_own => &[UserType::Co, UserType::Cu],
            Access::CryptoUser => &[UserType::Cu],
            Access::Overseer => &[UserType::Co, UserType::Au],
            Access::User => &[UserType::Co, UserType::Cu, UserType::Au],
            // The operation has named the user type that its attribute takes.
            Access::Oneself | Access::ByAttribute => &[],
        };
        if allowed.contains(&user?.user_type) { Ok(()) } else { Err(Refusal::NotAuthorized) }
    }
}

/// Whether the request names this user.
pub(super) fn is_about(request: &Request, user: &User) -> bool {
    request.subject().is_some_and(|(user_type, name)| user.is_called(user_type, name))
}
