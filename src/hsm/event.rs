//! What can happen to an HSM. The store's history is a list of these.

use serde::{Deserialize, Serialize};

use super::audit::AuditRecord;
use super::done::Performed;
use super::strangers::Tallied;
use super::{Challenge, Identity, Key, PasswordHash, Past, PublicKey, QuorumKey, SessionId, User};
use crate::protocol::attribute::{Attribute, Value};
use crate::protocol::key::{KeyHandle, Sharing};
use crate::protocol::quorum::{Service, Token};
use crate::protocol::user::{UserId, UserType};

/// One step of an HSM's history. New ones go to the end: the order is the store's format.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields whose names say it all")]
pub enum Event {
    /// The HSM came to be; always the first event.
    Made(Identity),
    /// The HSM was started: no session is open.
    Started,
    /// A user came to be, under the next free number.
    UserCreated { id: UserId, user: User },
    /// A user is gone; its number is not reused.
    UserDeleted(UserId),
    /// A user has a new password and no counted failures.
    PasswordChanged {
        id: UserId,
        /// Differs from before when a PRECO becomes a CO.
        user_type: UserType,
        password: PasswordHash,
    },
    /// A wrong password or second factor was given.
    LoginFailed(UserId),
    /// A user logged in on a session; the user's failures are forgotten.
    LoggedIn { session: SessionId, user: UserId },
    /// Nobody is logged in on a session any more.
    LoggedOut(SessionId),
    /// A change was made under an id, with this reply.
    Performed(Performed),
    /// The audit log has one more record.
    Recorded(AuditRecord),
    /// A key came to be, or another copy of it took its place.
    KeyCreated {
        /// Of this node, or that of the key it is a copy of.
        handle: KeyHandle,
        /// With its wrapped value.
        key: Key,
        /// The session that it ends with; `None` for a token key.
        session: Option<SessionId>,
    },
    /// A key is gone.
    KeyDeleted(KeyHandle),
    /// More, or fewer, users may use a key.
    KeyShared { handle: KeyHandle, users: Vec<UserId>, sharing: Sharing },
    /// A key's attribute has another value.
    AttributeSet { handle: KeyHandle, attribute: Attribute, value: Value },
    /// A user has another key for quorum approvals, or none any more.
    QuorumKeySet { id: UserId, key: Option<QuorumKey> },
    /// So many users have to approve the operations of a service.
    MValueSet { service: Service, m: u8 },
    /// A session got a token, which ends with its login.
    TokenIssued {
        token: Token,
        session: SessionId,
        /// Who is logged in on the session.
        user: UserId,
        /// Microseconds since 1970.
        issued: u64,
    },
    /// A token has one approval more, which rests on the approver's key.
    TokenApproved { token: u32, approver: UserId, key: PublicKey },
    /// A token was used up or deleted, or had expired.
    TokenRemoved(u32),
    /// A session got a digest to sign; an earlier one is void.
    ChallengeGiven { session: SessionId, challenge: Challenge },
    /// The digest of a session was signed, rightly or not.
    ChallengeUsed(SessionId),
    /// The audit log has one more record, of what strangers did.
    Tallied(Tallied),
    /// The owner of the HSM's folder has unlocked a user.
    Unlocked(UserId),
    /// A key is now as another HSM of the cluster has it, with the same past; `None` is deleted.
    KeyFollowed { handle: KeyHandle, key: Option<Key>, past: Past },
    /// All HSMs of the cluster know that these keys are deleted.
    DeletionsForgotten(Vec<KeyHandle>),
}

impl Event {
    /// Whether it concerns only what a session has to sign. Nothing else depends on that, so that it needs neither a
    /// commit nor a copy of the HSM.
    #[must_use]
    pub fn is_challenge(&self) -> bool {
        matches!(self, Self::ChallengeGiven { .. } | Self::ChallengeUsed(_))
    }

    /// Whether it outlives a restart: only such events are stored.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::TokenIssued { .. }
            | Self::TokenApproved { .. }
            | Self::TokenRemoved(_)
            | Self::ChallengeGiven { .. }
            | Self::ChallengeUsed(_) => false,
            Self::Made(_)
            | Self::Started
            | Self::UserCreated { .. }
            | Self::UserDeleted(_)
            | Self::PasswordChanged { .. }
            | Self::LoginFailed(_)
            | Self::LoggedIn { .. }
            | Self::LoggedOut(_)
            | Self::Performed(_)
            | Self::Recorded(_)
            | Self::Tallied(_)
            | Self::Unlocked(_)
            | Self::KeyCreated { .. }
            | Self::KeyFollowed { .. }
            | Self::DeletionsForgotten(_)
            | Self::KeyDeleted(_)
            | Self::KeyShared { .. }
            | Self::AttributeSet { .. }
            | Self::QuorumKeySet { .. }
            | Self::MValueSet { .. } => true,
        }
    }
}
