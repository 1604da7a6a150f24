//! The HSM as a value: [`Hsm::decide`] decides, [`Hsm::apply`] changes.
//!
//! Nothing here reads a clock, a file or a random number, hashes a password or makes a key. What a decision needs from
//! outside comes in [`Env`]; what must be computed first it asks for by [`Verdict::Needs`].
//!
//! The nouns are those of [`crate::protocol`]: the rule of an operation is in the file of the same name.

mod attestation;
mod attribute;
pub mod audit;
mod case;
mod census;
mod certificate;
mod compare;
mod computation;
mod device;
mod done;
mod event;
mod follow;
mod hash;
mod key;
mod keys;
mod lost;
mod masked;
mod permission;
mod public_key;
mod quorum;
mod second_factor;
mod session;
mod signature;
mod strangers;
mod template;
mod token;
mod twins;
mod unlock;
mod user;
mod version;
mod work;
mod wrap;
mod zeroize;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::protocol::device::Member;
use crate::protocol::message::Round;
use crate::protocol::user::UserId;
use crate::protocol::{Refusal, Reply, Request};

pub use census::Census;
pub use certificate::{Certificates, OwnerCertificates};
pub use compare::Prints;
pub use computation::{Computation, Computed};
pub use done::{Credentials, Done, Mark, Performed};
pub use event::Event;
pub use follow::{Followed, Offered};
pub use key::{FIRST_INDEX, Key, MAX_KEYS, Wrapped};
pub use lost::Lost;
pub use public_key::PublicKey;
pub use quorum::QuorumKey;
pub use second_factor::Challenge;
pub use session::SessionId;
pub use strangers::{Deed, Deeds, Strangers, Tallied, Tally};
pub use token::MAX_TOKENS;
pub use unlock::Unlock;
pub use user::{FIRST_PASSWORD, MAX_USERS, PasswordHash, User, UserName};
pub use version::{Order, Past, State, Version};
pub use work::{Copied, CopiedKey, CopiedUser, Material, NewKey, Work, Worked};

use audit::AuditHead;
use case::{Case, Decide, Decided, No, Part, Ruling};
use key::{MAX_SHARED, MAX_TEXT};
use keys::Keys;
use quorum::MValues;
use second_factor::Challenges;
use session::Sessions;
use token::Tokens;
use user::PASSWORD_LENGTHS;
use version::Pasts;

/// One HSM: everything that survives a restart, and the sessions open now.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hsm {
    identity: Identity,
    reboots: u32,
    users: OrdMap<UserId, User>,
    next_user: u32,
    keys: Keys,
    done: Done,
    audit: AuditHead,
    m_values: MValues,
    /// A snapshot has it beside the rest, whose format is older.
    #[serde(skip)]
    pasts: Pasts,
    #[serde(skip)]
    sessions: Sessions,
    #[serde(skip)]
    tokens: Tokens,
    #[serde(skip)]
    challenges: Challenges,
}

/// What distinguishes an HSM from all others; it never changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// `hsm-` and eleven letters and digits.
    pub hsm_id: String,
    /// Such as `3.0A0101-ICM000001`.
    pub serial_number: String,
    /// Its place in its cluster, from 0.
    pub node_id: u32,
}

/// What a decision may know of the world.
pub struct Env<'a> {
    /// Microseconds since 1970.
    pub now: u64,
    /// The HSMs of the cluster.
    pub members: &'a [Member],
    /// Connections that this HSM serves at a time.
    pub max_connections: u32,
    /// This HSM's.
    pub certificates: &'a Certificates,
    /// What was computed because an earlier decision on the same request needed it.
    pub worked: Option<&'a Worked>,
}

/// What the HSM says to a request.
pub enum Verdict {
    /// Yes, and this.
    Reply(Reply),
    /// No.
    Refused(Refusal),
    /// Not refused so far; ask again with the result of this work.
    Needs(Work),
}

/// A verdict and the events that make it true. A refusal can have events, too: a wrong password counts.
pub struct Decision {
    /// For the client, once the events are durable.
    pub verdict: Verdict,
    /// To be stored, then applied, in this order.
    pub events: Vec<Event>,
    /// What a stranger did that changes nothing: to be counted, and recorded with [`Hsm::tallied`].
    pub by_stranger: Option<Deed>,
}

impl Hsm {
    /// Decides a request and changes nothing.
    #[must_use]
    pub fn decide(&self, request: &Request, round: Round, caller: SessionId, env: &Env<'_>) -> Decision {
        let case = Case { hsm: self, caller, env };
        match round {
            Round::Rehearse => case.rehearse(request),
            Round::Perform(id) => case.perform(id, request),
        }
    }

    /// Makes changes that are already durable, in this order.
    pub fn apply_all(&mut self, events: &[Event]) {
        // The hash of a record takes long, and only the last one is where the log ends.
        let last = events.iter().rposition(|event| matches!(event, Event::Recorded(_)));
        for (at, event) in events.iter().enumerate() {
            match event {
                Event::Recorded(_) if Some(at) != last => self.pasts.name_nothing(),
                event => self.apply(event),
            }
        }
    }

    /// Makes a change that is already durable. It cannot fail: whatever could be wrong was decided before.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Made(identity) => self.identity = identity.clone(),
            Event::Started => self.start(),
            Event::UserCreated { id, user } => self.insert_user(*id, user.clone()),
            Event::UserDeleted(id) => self.remove_user(*id),
            Event::PasswordChanged { id, user_type, password } => {
                self.replace_password(*id, *user_type, password);
            }
            Event::LoginFailed(id) => self.count_failure(*id),
            Event::LoggedIn { session, user } => self.log_in(*session, *user),
            Event::LoggedOut(session) => self.close(*session),
            Event::Performed(performed) => {
                self.pasts.name(performed.id);
                self.done.remember(performed.clone());
            }
            Event::Recorded(record) => {
                self.pasts.name_nothing();
                self.audit = record.head();
            }
            Event::Unlocked(id) => self.forget_failures(*id),
            Event::Tallied(tallied) => self.audit = tallied.whole().head(),
            Event::KeyCreated { handle, key, session } => {
                self.changing(&[*handle], |hsm| hsm.insert_key(*handle, key, *session));
            }
            Event::KeyDeleted(handle) => self.changing(&[*handle], |hsm| hsm.delete_key(*handle)),
            Event::KeyShared { handle, users, sharing } => {
                self.changing(&[*handle], |hsm| hsm.keys.share(*handle, users, *sharing));
            }
            Event::AttributeSet { handle, attribute, value } => {
                self.changing(&[*handle], |hsm| hsm.keys.set(*handle, *attribute, value));
            }
            Event::KeyFollowed { handle, key, past } => self.follow_key(*handle, key.as_ref(), past),
            Event::DeletionsForgotten(handles) => {
                handles.iter().for_each(|handle| self.pasts.forget(*handle));
            }
            Event::QuorumKeySet { id, key } => self.set_quorum_key(*id, key.as_ref()),
            Event::MValueSet { service, m } => self.m_values.set(*service, *m),
            Event::TokenIssued { token, session, user, issued } => {
                self.tokens.add(token.clone(), *session, *user, *issued);
            }
            Event::TokenApproved { token, approver, key } => {
                self.tokens.approve(*token, *approver, key.clone());
            }
            Event::TokenRemoved(token) => self.tokens.remove(*token),
            Event::ChallengeGiven { session, challenge } => {
                self.challenges.give(*session, challenge.clone());
            }
            Event::ChallengeUsed(session) => self.challenges.remove(*session),
        }
    }

    /// What a store that had failed holds, as this HSM goes on from it: with the sessions that are open.
    #[must_use]
    pub fn resumed(&self, stored: Self) -> Self {
        let Self { sessions, tokens, challenges, .. } = self.clone();
        let keys = stored.keys.with_session_keys_of(&self.keys);
        let same = Self { keys, sessions, tokens, challenges, ..stored };
        // If the change that was in doubt is made, it may have used up a token.
        if same == *self {
            same
        } else {
            Self { tokens: Tokens::default(), challenges: Challenges::default(), ..same }
        }
    }

    /// The same HSM with every key's value replaced by what `rewrap` makes of it.
    ///
    /// # Errors
    ///
    /// The first that `rewrap` returns.
    pub fn rewrapped<E>(&self, rewrap: impl FnMut(&Material) -> Result<Material, E>) -> Result<Self, E> {
        Ok(Self { keys: self.keys.rewrapped(rewrap)?, ..self.clone() })
    }

    /// A new HSM with the users, keys and M values of this one, and a history and an audit log of its own.
    #[must_use]
    pub fn clone_as(&self, identity: Identity) -> Self {
        let mut keys = self.keys.clone();
        keys.move_to(identity.node_id);
        Self {
            keys,
            identity,
            users: self.users.clone(),
            next_user: self.next_user,
            reboots: 0,
            done: Done::default(),
            audit: AuditHead::default(),
            m_values: self.m_values,
            // The clone is another cluster: there is nobody who has older keys.
            pasts: Pasts::default(),
            sessions: Sessions::default(),
            tokens: Tokens::default(),
            challenges: Challenges::default(),
        }
    }

    /// How many users and keys it holds.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.users.len(), self.keys.len())
    }

    /// Where its audit log ends.
    #[must_use]
    pub fn audit_head(&self) -> &AuditHead {
        &self.audit
    }

    /// Who it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    fn start(&mut self) {
        self.reboots = self.reboots.saturating_add(1);
        self.sessions = Sessions::default();
        self.tokens = Tokens::default();
        self.challenges = Challenges::default();
        self.keys.end_session(None);
    }
}
