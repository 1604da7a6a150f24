//! How an HSM comes to differ from others on purpose, so that the repair can be tried.

use super::{Event, Hsm};
use crate::protocol::Refusal;
use crate::protocol::key::KeyHandle;
use crate::protocol::user::UserType;

/// What an HSM loses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// By type and name.
    User(UserType, String),
    /// By handle.
    Key(KeyHandle),
}

impl Hsm {
    /// Decides to lose a user or a key. Nobody asked for that, so the audit log has no record of it.
    ///
    /// # Errors
    ///
    /// If it is not there, or is a user who owns keys.
    pub fn lose(&self, lost: &Lost) -> Result<Vec<Event>, Refusal> {
        match lost {
            Lost::User(user_type, name) => {
                let (id, _) = self.find_user(*user_type, name)?;
                if self.keys.owns_any(id) {
                    Err(Refusal::UserOwnsKeys)
                } else {
                    Ok(vec![Event::UserDeleted(id)])
                }
            }
            // Without a memory of the deletion, which would spread to the other HSMs of the cluster.
            Lost::Key(handle) => self
                .keys
                .get(*handle)
                .map(|_| vec![Event::KeyDeleted(*handle), Event::DeletionsForgotten(vec![*handle])]),
        }
    }
}
