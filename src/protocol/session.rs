//! Logging in and out. A session is a connection: when it ends, its login ends.

use serde::{Deserialize, Serialize};

use super::Secret;
use super::about::About;
use super::second_factor::SignedDigests;
use super::user::UserType;

/// Logs the connection in; whoever was logged in on it before no longer is.
#[derive(Clone, Serialize, Deserialize)]
pub struct Login {
    /// With the name, it says which user.
    pub user_type: UserType,
    /// Case does not count.
    pub name: String,
    /// Case counts.
    pub password: Secret,
    /// Needed for users who have one, ignored for others.
    pub second_factor: Option<SignedDigests>,
}

impl About for Login {
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

/// Ends the connection's login; the connection stays.
#[derive(Clone, Serialize, Deserialize)]
pub struct Logout;

impl About for Logout {}
