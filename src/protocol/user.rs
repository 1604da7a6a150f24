//! Users of an HSM, and the operations on them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Secret;
use super::about::About;
use super::second_factor::NewSecondFactor;
pub use super::user_type::UserType;

/// The number that an HSM gives a user; it counts from 1 and is never reused on that HSM.
///
/// The same user can have different numbers on different HSMs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UserId(pub u32);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Creates a CO or CU.
#[derive(Clone, Serialize, Deserialize)]
pub struct CreateUser {
    /// CO or CU.
    pub user_type: UserType,
    /// 1 to 31 letters, digits and `_`.
    pub name: String,
    /// 7 to 32 characters.
    pub password: Secret,
    /// For a CO only; its key is also registered for quorum approvals.
    pub second_factor: Option<NewSecondFactor>,
}

impl About for CreateUser {
    fn subject(&self) -> Option<(UserType, &str)> {
        Some((self.user_type, &self.name))
    }

    fn password(&self) -> Option<&Secret> {
        Some(&self.password)
    }

    fn is_signed(&self) -> bool {
        self.second_factor.is_some()
    }

    /// The original creates a CO by a command of its own.
    fn opcode(&self, listed: Option<u16>) -> Option<u16> {
        if self.user_type == UserType::Co { Some(0x04) } else { listed }
    }
}

/// Deletes a CO or CU that has no session open.
#[derive(Clone, Serialize, Deserialize)]
pub struct DeleteUser {
    /// CO or CU.
    pub user_type: UserType,
    /// Case does not count.
    pub name: String,
}

impl About for DeleteUser {
    fn subject(&self) -> Option<(UserType, &str)> {
        Some((self.user_type, &self.name))
    }
}

/// Logs a user out of every session but the one that asks: the password of a user who is logged in cannot be changed,
/// and somebody who has stolen it could stay logged in for ever.
#[derive(Clone, Serialize, Deserialize)]
pub struct EndSessions {
    /// Any type.
    pub user_type: UserType,
    /// Case does not count.
    pub name: String,
}

impl About for EndSessions {
    fn subject(&self) -> Option<(UserType, &str)> {
        Some((self.user_type, &self.name))
    }
}

/// Replaces a user's password, sets its failure count to zero, and makes a PRECO a CO.
#[derive(Clone, Serialize, Deserialize)]
pub struct ChangePassword {
    /// CO, CU or PRECO.
    pub user_type: UserType,
    /// Case does not count.
    pub name: String,
    /// 7 to 32 characters.
    pub password: Secret,
    /// Set or replaced; `None` removes the second factor that a user has, and with it the key for quorum approvals.
    pub second_factor: Option<NewSecondFactor>,
}

impl About for ChangePassword {
    fn subject(&self) -> Option<(UserType, &str)> {
        Some((self.user_type, &self.name))
    }

    fn password(&self) -> Option<&Secret> {
        Some(&self.password)
    }

    fn is_signed(&self) -> bool {
        self.second_factor.is_some()
    }
}

/// Lists all users, in the order of their numbers.
#[derive(Clone, Serialize, Deserialize)]
pub struct ListUsers;

impl About for ListUsers {}

/// One user as [`ListUsers`] shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    /// On the HSM that answered.
    pub id: UserId,
    /// Never [`UserType::Unknown`].
    pub user_type: UserType,
    /// As typed when the user was created.
    pub name: String,
    /// Whether a public key for quorum approvals is registered.
    pub quorum_key: bool,
    /// Wrong passwords since the last right one; five lock the user.
    pub login_failures: u32,
    /// Whether a second factor is needed to log in.
    pub second_factor: bool,
}
