//! Users of an HSM, and the operations on them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Secret;
use super::second_factor::NewSecondFactor;

/// The number an HSM gives a user; it counts from 1 and is never used again on that HSM.
///
/// The same user can have different numbers on different HSMs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UserId(pub u32);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a user is for. A user is known by type and name together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum UserType {
    /// A word that names no type; every HSM refuses it.
    Unknown,
    /// Crypto user: owns and uses keys.
    Cu,
    /// Crypto officer: manages users.
    Co,
    /// Appliance user: `app_user`, by which a cluster's owner synchronises.
    Au,
    /// Precrypto officer: the `admin` of a new HSM until it changes its password.
    PreCo,
}

impl UserType {
    /// Reads a type as it is typed; case counts. `PCO` is what early HSMs called their first CO.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "CU" => Self::Cu,
            "CO" | "PCO" => Self::Co,
            "AU" => Self::Au,
            "PRECO" | "preCO" | "PO" => Self::PreCo,
            _ => Self::Unknown,
        }
    }

    /// The type's number and name in the audit log.
    #[must_use]
    pub fn audit_name(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN (0)",
            Self::Cu => "CN_CRYPTO_USER (1)",
            Self::Co => "CN_CRYPTO_OFFICER (2)",
            Self::Au => "CN_APPLIANCE_USER (5)",
            Self::PreCo => "CN_CRYPTO_PRE_OFFICER (6)",
        }
    }
}

impl fmt::Display for UserType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unknown => "Unknown",
            Self::Cu => "CU",
            Self::Co => "CO",
            Self::Au => "AU",
            Self::PreCo => "PRECO",
        })
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
    /// For a CO; its key is registered for quorum approvals, too.
    pub second_factor: Option<NewSecondFactor>,
}

/// Deletes a CO or CU that has no session open.
#[derive(Clone, Serialize, Deserialize)]
pub struct DeleteUser {
    /// CO or CU.
    pub user_type: UserType,
    /// Matched without regard to case.
    pub name: String,
}

/// Replaces a user's password, sets its failure count to zero, and makes a PRECO a CO.
#[derive(Clone, Serialize, Deserialize)]
pub struct ChangePassword {
    /// CO, CU or PRECO.
    pub user_type: UserType,
    /// Matched without regard to case.
    pub name: String,
    /// 7 to 32 characters.
    pub password: Secret,
    /// Set, or replaced; `None` removes the one that a user has, and with it the key for quorum approvals.
    pub second_factor: Option<NewSecondFactor>,
}

/// Lists all users, in the order of their numbers.
#[derive(Clone, Serialize, Deserialize)]
pub struct ListUsers;

/// One user as [`ListUsers`] shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    /// On the HSM that answered.
    pub id: UserId,
    /// Never [`UserType::Unknown`].
    pub user_type: UserType,
    /// As it was typed at creation.
    pub name: String,
    /// Whether a public key for quorum approvals is registered.
    pub quorum_key: bool,
    /// Wrong passwords since the last right one; five lock the user.
    pub login_failures: u32,
    /// Whether a second factor is needed to log in.
    pub second_factor: bool,
}
