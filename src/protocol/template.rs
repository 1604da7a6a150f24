//! What the maker of a key says of it.

use serde::{Deserialize, Serialize};

use super::user::UserId;

/// What the maker of a key says of it, whatever its kind and wherever its value comes from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Template {
    /// Need not be unique; both halves get it.
    pub label: String,
    /// Both halves get it, and no other key of the HSM may have it. An empty one is no id.
    pub id: String,
    /// Whether the secret or private key may be wrapped out of the HSM.
    pub extractable: bool,
    /// Token or session.
    pub lifetime: Lifetime,
    /// Other CUs who may use the secret or private key.
    pub shared_with: Vec<UserId>,
    /// How many users have to approve its use; 0 and 1 mean no approval.
    pub m_value: u8,
}

impl Default for Template {
    /// The maker's own extractable token key, without label and id.
    fn default() -> Self {
        Self {
            label: String::new(),
            id: String::new(),
            extractable: true,
            lifetime: Lifetime::Token,
            shared_with: Vec::new(),
            m_value: 0,
        }
    }
}

/// How long a key lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lifetime {
    /// Until it is deleted.
    Token,
    /// Until the session that made it ends; on one HSM only.
    Session,
}
