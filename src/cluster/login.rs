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
#[derive(Clone)]
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

#[cfg(test)]
mod tests {
    use super::{LoggedIn, LoginEffect};
    use crate::protocol::user::UserType::{Co, Cu, PreCo};
    use crate::protocol::user::{ChangePassword, UserType};
    use crate::protocol::{Request, Secret};

    #[test]
    fn a_preco_that_changes_its_password_and_nobody_else_becomes_a_co() {
        for (who, whose, then) in [(PreCo, PreCo, Co), (Cu, PreCo, Cu), (PreCo, Cu, PreCo), (Cu, Cu, Cu)] {
            let mut login = Some(logged_in(who));
            LoginEffect::of(&change(whose)).apply(&mut login);
            assert_eq!(login, Some(logged_in(then)), "{who} changes the password of a {whose}");
        }
    }

    fn logged_in(user_type: UserType) -> LoggedIn {
        LoggedIn { user_type, name: "alice".to_owned() }
    }

    fn change(user_type: UserType) -> Request {
        let (name, password) = ("alice".to_owned(), Secret::new("password1".to_owned()));
        Request::ChangePassword(ChangePassword { user_type, name, password, second_factor: None })
    }
}
