//! How the owner of an HSM's host unlocks a user: without it, an HSM whose only CO is locked out could not be managed
//! any more.

use serde::{Deserialize, Serialize};

use super::audit::Opcode;
use super::{Deed, Event, Hsm, SessionId};
use crate::protocol::Refusal;
use crate::protocol::user::UserType;

/// Whom to unlock.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Unlock {
    pub user_type: UserType,
    pub name: String,
}

/// Of the audit record; the command is this project's.
const OPCODE: Opcode = Opcode(0x1008);

impl Hsm {
    /// Decides to forget a user's failed logins, with the audit record.
    ///
    /// # Errors
    ///
    /// If there is no such user.
    pub fn unlock(&self, Unlock { user_type, name }: &Unlock, now: u64) -> Result<Vec<Event>, Refusal> {
        let (id, user) = self.find_user(*user_type, name)?;
        let deed = Deed {
            opcode: OPCODE,
            refusal: None,
            session: SessionId(0),
            user: Some((*user_type, user.name.as_str().to_owned())),
            key: None,
        };
        let record = self.audit.next(deed, now, self.reboots);
        Ok(vec![Event::Unlocked(id), Event::Recorded(record)])
    }

    /// Whether it has a CO: whoever activates an HSM makes one of its PRECO.
    #[must_use]
    pub fn is_activated(&self) -> bool {
        self.users.values().any(|user| user.user_type == UserType::Co)
    }

    /// Whether nobody is left who could manage users.
    #[must_use]
    pub fn is_every_officer_locked_out(&self) -> bool {
        let is_officer = |user_type| matches!(user_type, UserType::Co | UserType::PreCo);
        let mut officers = self.users.values().filter(|user| is_officer(user.user_type)).peekable();
        officers.peek().is_some() && officers.all(super::User::is_locked_out)
    }
}
