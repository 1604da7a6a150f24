//! Who is logged in on a connection, and how operations change that.
//!
//! The HSM does not say who is logged in; the console keeps track of it.

use std::fmt;

use crate::protocol::Request;
use crate::protocol::user::UserType;

/// The user who is logged in on a connection, as given at the login.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it all")]
pub struct LoggedIn {
    pub user_type: UserType,
    pub name: String,
}

/// How a successful operation changes the connection's login.
pub(super) enum LoginEffect {
    Unchanged,
    Now(LoggedIn),
    /// A PRECO that changes its password becomes a CO and stays logged in.
    Activated,
    Gone,
}

impl LoginEffect {
    pub(super) fn of(request: &Request) -> Self {
        if let Request::Login(login) = request {
            return Self::Now(LoggedIn { user_type: login.user_type, name: login.name.clone() });
        }
        if let Request::ChangePassword(op) = request
            && op.user_type == UserType::PreCo
        {
            return Self::Activated;
        }
        if matches!(request, Request::Logout(_)) { Self::Gone } else { Self::Unchanged }
    }

    pub(super) fn apply(&self, login: &mut Option<LoggedIn>) {
        match self {
            Self::Unchanged => {}
            Self::Now(who) => *login = Some(who.clone()),
            // Another user who changes that password stays who they are.
            Self::Activated => {
                if let Some(who) = login.as_mut().filter(|who| who.user_type == UserType::PreCo) {
                    who.user_type = UserType::Co;
                }
            }
            Self::Gone => *login = None,
        }
    }
}

impl fmt::Display for LoggedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name, self.user_type)
    }
}
