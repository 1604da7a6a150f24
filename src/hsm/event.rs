//! What can happen to an HSM. The store's history is a list of these.

use serde::{Deserialize, Serialize};

use super::audit::AuditRecord;
use super::done::{Mark, Performed};
use super::{Challenge, Identity, Key, PasswordHash, PublicKey, QuorumKey, SessionId, User, Verdict};
use crate::protocol::attribute::{Attribute, Value};
use crate::protocol::key::{KeyHandle, Sharing};
use crate::protocol::message::OperationId;
use crate::protocol::quorum::{Service, Token};
use crate::protocol::user::{UserId, UserType};
use crate::protocol::{Effect, Request};

/// One step of an HSM's history. New ones go to the end: the order is the store's format.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The HSM came to be; always the first.
    Made(Identity),
    /// The HSM was started: no session is open.
    Started,
    /// A user came to be.
    UserCreated {
        /// The next free number.
        id: UserId,
        /// Whole, with its password's hash.
        user: User,
    },
    /// A user is gone; its number is not used again.
    UserDeleted(UserId),
    /// A user has a new password and no counted failures.
    PasswordChanged {
        /// Whose.
        id: UserId,
        /// From now on; differs from before when a PRECO becomes a CO.
        user_type: UserType,
        /// The new one.
        password: PasswordHash,
    },
    /// A wrong password was given.
    LoginFailed(UserId),
    /// A session belongs to a user, and the user's failures are forgotten.
    LoggedIn {
        /// Gone after a restart.
        session: SessionId,
        /// Who logged in.
        user: UserId,
    },
    /// A session belongs to nobody.
    LoggedOut(SessionId),
    /// A change was done under an id, and answered so.
    Performed(Performed),
    /// The audit log has one more record.
    Recorded(AuditRecord),
    /// A key came to be, or another copy of it took its place.
    KeyCreated {
        /// Of this node, or of the original.
        handle: KeyHandle,
        /// Whole, with its wrapped value.
        key: Key,
        /// The session that it ends with.
        session: Option<SessionId>,
    },
    /// A key is gone.
    KeyDeleted(KeyHandle),
    /// More, or fewer, users may use a key.
    KeyShared {
        /// Which key.
        handle: KeyHandle,
        /// Who.
        users: Vec<UserId>,
        /// More or fewer.
        sharing: Sharing,
    },
    /// A key's attribute has another value.
    AttributeSet {
        /// Which key.
        handle: KeyHandle,
        /// Which attribute.
        attribute: Attribute,
        /// From now on.
        value: Value,
    },
    /// A user has another key for quorum approvals, or none any more.
    QuorumKeySet {
        /// Whose.
        id: UserId,
        /// From now on.
        key: Option<QuorumKey>,
    },
    /// So many have to approve the operations of a service.
    MValueSet {
        /// Which.
        service: Service,
        /// From now on.
        m: u8,
    },
    /// A session got a token; gone with its login.
    TokenIssued {
        /// As the client has it.
        token: Token,
        /// Whose operation it is good for.
        session: SessionId,
        /// Who is logged in there.
        user: UserId,
        /// Microseconds since 1970.
        issued: u64,
    },
    /// A token has one approval more.
    TokenApproved {
        /// Its number.
        token: u32,
        /// Who approved it.
        approver: UserId,
        /// With this key.
        key: PublicKey,
    },
    /// A token was used up or deleted, or had expired.
    TokenRemoved(u32),
    /// A session was given something to sign.
    ChallengeGiven {
        /// Gone with the connection.
        session: SessionId,
        /// In place of an earlier one.
        challenge: Challenge,
    },
    /// It was signed, rightly or not.
    ChallengeUsed(SessionId),
}

impl Event {
    /// Whether it outlives a restart. What a session alone has is no history.
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
            | Self::KeyCreated { .. }
            | Self::KeyDeleted(_)
            | Self::KeyShared { .. }
            | Self::AttributeSet { .. }
            | Self::QuorumKeySet { .. }
            | Self::MValueSet { .. } => true,
        }
    }

    /// What makes a second request under the same id harmless; nothing unless a change was done.
    pub(super) fn performed(id: OperationId, request: &Request, verdict: &Verdict) -> Option<Self> {
        match (request.effect(), verdict) {
            (Effect::Change, Verdict::Reply(reply)) => {
                Some(Self::Performed(Performed { id, mark: Mark::of(request), reply: reply.clone() }))
            }
            (Effect::Change | Effect::Session | Effect::None, _) => None,
        }
    }
}
