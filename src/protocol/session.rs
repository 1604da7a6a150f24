//! Logging in and out. A session is a connection: when it ends, its login ends.

use serde::{Deserialize, Serialize};

use super::Secret;
use super::second_factor::SignedDigests;
use super::user::UserType;

/// Logs the connection in, in place of whoever was.
#[derive(Clone, Serialize, Deserialize)]
pub struct Login {
    /// As at creation.
    pub user_type: UserType,
    /// Matched without regard to case.
    pub name: String,
    /// Case counts.
    pub password: Secret,
    /// Needed by users who have one, ignored of others.
    pub second_factor: Option<SignedDigests>,
}

/// Ends the connection's login; the connection stays.
#[derive(Clone, Serialize, Deserialize)]
pub struct Logout;
