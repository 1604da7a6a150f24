//! The HSM as a value: [`Hsm::decide`] says, [`Hsm::apply`] changes.
//!
//! Nothing here reads a clock, a file or a random number, hashes a password or makes a key: what a decision needs from
//! outside comes in [`Env`], and what it needs computed first it says by [`Verdict::Needs`].

pub mod audit;
mod census;
mod certificate;
mod device;
mod done;
mod event;
mod key;
mod keys;
mod masked;
mod permission;
mod public_key;
mod quorum;
mod second_factor;
mod session;
mod token;
mod user;
mod work;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::protocol::device::Member;
use crate::protocol::message::Round;
use crate::protocol::user::UserId;
use crate::protocol::{Effect, Refusal, Reply, Request};

pub use census::Census;
pub use certificate::{Certificates, OwnerCertificates};
pub use done::{Done, Mark, Performed};
pub use event::Event;
pub use key::{FIRST_INDEX, Key, MAX_KEYS, Wrapped};
pub use public_key::PublicKey;
pub use quorum::QuorumKey;
pub use second_factor::Challenge;
pub use session::SessionId;
pub use token::MAX_TOKENS;
pub use user::{FIRST_PASSWORD, MAX_USERS, PasswordHash, User, UserName};
pub use work::{Copied, CopiedKey, CopiedUser, Material, NewKey, Work, Worked};

use audit::AuditHead;
use keys::Keys;
use quorum::MValues;
use second_factor::Challenges;
use session::Sessions;
use token::Tokens;

/// One HSM: everything that survives a restart, and the sessions open now.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hsm {
    identity: Identity,
    reboots: u32,
    users: BTreeMap<UserId, User>,
    next_user: u32,
    keys: Keys,
    done: Done,
    audit: AuditHead,
    m_values: MValues,
    #[serde(skip)]
    sessions: Sessions,
    #[serde(skip)]
    tokens: Tokens,
    #[serde(skip)]
    challenges: Challenges,
}

/// What distinguishes an HSM from all others, for ever.
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
    /// Yes as far as one can see; ask again with the result of this work.
    Needs(Work),
}

/// An outcome and the changes that make it true. A refusal can have changes, too: a wrong password counts.
pub struct Decision {
    /// For the client, once the changes are durable.
    pub verdict: Verdict,
    /// To be stored, then applied, in this order.
    pub events: Vec<Event>,
}

impl Hsm {
    /// Decides a request and changes nothing. A refusal is recorded also when it was only rehearsed: to the client
    /// it is the end of the command.
    #[must_use]
    pub fn decide(&self, request: &Request, round: Round, caller: SessionId, env: &Env<'_>) -> Decision {
        if let Round::Perform(id) = round
            && let Some(verdict) = self.done.answer(id, request)
        {
            return Decision { verdict, events: Vec::new() };
        }
        let mut events = Vec::new();
        let verdict = match self.answer(request, caller, env, &mut events) {
            Ok(reply) => Verdict::Reply(reply),
            Err(No::Refused(refusal)) => Verdict::Refused(refusal),
            Err(No::Needs(work)) => Verdict::Needs(work),
        };
        let record = || self.audit.record(request, &verdict, caller, self.reboots, env.now);
        match (round, &verdict) {
            (Round::Rehearse, Verdict::Refused(_)) => events = record().into_iter().collect(),
            (Round::Rehearse, Verdict::Reply(_) | Verdict::Needs(_)) => events.clear(),
            (Round::Perform(_), Verdict::Needs(_)) => {}
            (Round::Perform(id), Verdict::Reply(_) | Verdict::Refused(_)) => {
                // Whatever came of it, a digest is good once.
                events.extend(request.is_signed().then_some(Event::ChallengeUsed(caller)));
                events.extend(Event::performed(id, request, &verdict));
                events.extend(record());
            }
        }
        Decision { verdict, events }
    }

    /// Makes a change that is already durable.
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
            Event::Performed(performed) => self.done.remember(performed.clone()),
            Event::Recorded(record) => self.audit = record.head(),
            Event::KeyCreated { handle, key, session } => {
                self.tokens.end_key(*handle);
                self.keys.use_up(self.identity.node_id, *handle);
                self.keys.insert(*handle, key.clone(), *session);
            }
            Event::KeyDeleted(handle) => {
                self.tokens.end_key(*handle);
                self.keys.remove(*handle);
            }
            Event::KeyShared { handle, users, sharing } => self.keys.share(*handle, users, *sharing),
            Event::AttributeSet { handle, attribute, value } => self.keys.set(*handle, *attribute, value),
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
                self.challenges.insert(*session, challenge.clone());
            }
            Event::ChallengeUsed(session) => drop(self.challenges.remove(session)),
        }
    }

    /// The same HSM with every key's value handled once, such as wrapped anew.
    ///
    /// # Errors
    ///
    /// The first that `rewrap` gives.
    pub fn rewrapped<E>(&self, rewrap: impl FnMut(&Material) -> Result<Material, E>) -> Result<Self, E> {
        Ok(Self { keys: self.keys.rewrapped(rewrap)?, ..self.clone() })
    }

    /// A new HSM with the users and keys of this one, and a past of its own.
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

    /// Who it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    fn answer(
        &self,
        request: &Request,
        caller: SessionId,
        env: &Env<'_>,
        events: &mut Vec<Event>,
    ) -> Result<Reply, No> {
        Self::must_have_owner(request, env)?;
        self.permit(request, caller)?;
        let token = self.approval(request, caller, env)?;
        let reply = self.reply(request, caller, env, events)?;
        // What was there already needed no change, and costs no approvals.
        let is_used = request.effect() != Effect::Change || !events.is_empty();
        events.extend(token.filter(|_| is_used).map(Event::TokenRemoved));
        Ok(reply)
    }

    /// What the request itself says; permission and approvals have been seen to.
    fn reply(
        &self,
        request: &Request,
        caller: SessionId,
        env: &Env<'_>,
        events: &mut Vec<Event>,
    ) -> Result<Reply, No> {
        match request {
            Request::DescribeHsm(_) => Ok(Reply::DescribeHsm(self.describe())),
            Request::ListMembers(_) => Ok(Reply::ListMembers(env.members.to_vec())),
            Request::ListUsers(_) => Ok(Reply::ListUsers(self.list_users())),
            Request::Login(op) => self.login(op, caller, env, events).map(Reply::Login),
            Request::Logout(_) => {
                events.push(Event::LoggedOut(caller));
                Ok(Reply::Logout(()))
            }
            Request::CreateUser(op) => self.create_user(op, caller, env, events).map(Reply::CreateUser),
            Request::DeleteUser(op) => self.delete_user(op, events).map(Reply::DeleteUser),
            Request::ChangePassword(op) => {
                self.change_password(op, caller, env, events).map(Reply::ChangePassword)
            }
            Request::GenerateKey(op) => self.generate_key(op, caller, env, events).map(Reply::GenerateKey),
            Request::DeleteKey(op) => Ok(Reply::DeleteKey(self.delete_key(op, caller, events)?)),
            Request::FindKeys(op) => Ok(Reply::FindKeys(self.find_keys(op, caller)?)),
            Request::DescribeKey(op) => Ok(Reply::DescribeKey(self.describe_key(op, caller)?)),
            Request::ReadAttributes(op) => Ok(Reply::ReadAttributes(self.read_attributes(op, caller)?)),
            Request::SetAttribute(op) => Ok(Reply::SetAttribute(self.set_attribute(op, caller, events)?)),
            Request::ShareKey(op) => Ok(Reply::ShareKey(self.share_key(op, caller, events)?)),
            Request::ListKeys(op) => Ok(Reply::ListKeys(self.list_keys(op)?)),
            Request::ExtractKey(op) => self.extract_key(op, caller, env).map(Reply::ExtractKey),
            Request::InsertKey(op) => self.insert_copied_key(op, caller, env, events).map(Reply::InsertKey),
            Request::ExtractUser(op) => self.extract_user(op, env).map(Reply::ExtractUser),
            Request::InsertUser(op) => self.insert_copied_user(op, env, events).map(Reply::InsertUser),
            Request::GetCertificate(op) => Ok(Self::certificate(op, env).map(Reply::GetCertificate)?),
            Request::RegisterQuorumKey(op) => {
                Ok(Reply::RegisterQuorumKey(self.register_quorum_key(op, events)?))
            }
            Request::SetMValue(op) => Ok(Reply::SetMValue(self.set_m_value(op, events)?)),
            Request::GetMValue(op) => Ok(Reply::GetMValue(self.m_value(op))),
            Request::GetToken(op) => self.get_token(op, caller, env, events).map(Reply::GetToken),
            Request::ApproveToken(op) => {
                Ok(Reply::ApproveToken(self.approve_token(op, caller, env, events)?))
            }
            Request::ListTokens(_) => Ok(Reply::ListTokens(self.list_tokens(env))),
            Request::DeleteTokens(op) => Ok(Reply::DeleteTokens(self.delete_tokens(op, caller, events)?)),
            Request::GetDigest(op) => self.get_digest(op, caller, env, events).map(Reply::GetDigest),
            Request::Sign(op) => self.sign(op, caller, env).map(Reply::Sign),
        }
    }

    fn start(&mut self) {
        self.reboots = self.reboots.saturating_add(1);
        self.sessions = Sessions::default();
        self.tokens = Tokens::default();
        self.challenges = Challenges::default();
        self.keys.end_session(None);
    }
}

/// Why a handler gave no reply.
enum No {
    Refused(Refusal),
    Needs(Work),
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
