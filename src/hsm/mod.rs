//! The HSM as a value: [`Hsm::decide`] says, [`Hsm::apply`] changes.
//!
//! Nothing here reads a clock, a file or a random number, hashes a password or makes a key: what a decision needs from
//! outside comes in [`Env`], and what it needs computed first it says by [`Outcome::Needs`].

pub mod audit;
mod census;
mod certificate;
mod change;
mod device;
mod done;
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
pub use change::Change;
pub use done::{Done, Mark, Performed};
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
pub enum Outcome {
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
    pub outcome: Outcome,
    /// To be stored, then applied, in this order.
    pub changes: Vec<Change>,
}

impl Hsm {
    /// Decides a request and changes nothing. A refusal is recorded also when it was only rehearsed: to the client
    /// it is the end of the command.
    #[must_use]
    pub fn decide(&self, request: &Request, round: Round, caller: SessionId, env: &Env<'_>) -> Decision {
        if let Round::Perform(id) = round
            && let Some(outcome) = self.done.answer(id, request)
        {
            return Decision { outcome, changes: Vec::new() };
        }
        let mut changes = Vec::new();
        let outcome = match self.answer(request, caller, env, &mut changes) {
            Ok(reply) => Outcome::Reply(reply),
            Err(No::Refused(refusal)) => Outcome::Refused(refusal),
            Err(No::Needs(work)) => Outcome::Needs(work),
        };
        let record = || self.audit.record(request, &outcome, caller, self.reboots, env.now);
        match (round, &outcome) {
            (Round::Rehearse, Outcome::Refused(_)) => changes = record().into_iter().collect(),
            (Round::Rehearse, Outcome::Reply(_) | Outcome::Needs(_)) => changes.clear(),
            (Round::Perform(_), Outcome::Needs(_)) => {}
            (Round::Perform(id), Outcome::Reply(_) | Outcome::Refused(_)) => {
                // Whatever came of it, a digest is good once.
                changes.extend(request.is_signed().then_some(Change::ChallengeUsed(caller)));
                changes.extend(Change::performed(id, request, &outcome));
                changes.extend(record());
            }
        }
        Decision { outcome, changes }
    }

    /// Makes a change that is already durable.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Made(identity) => self.identity = identity.clone(),
            Change::Started => self.start(),
            Change::UserCreated { id, user } => self.insert_user(*id, user.clone()),
            Change::UserDeleted(id) => self.remove_user(*id),
            Change::PasswordChanged { id, user_type, password } => {
                self.replace_password(*id, *user_type, password);
            }
            Change::LoginFailed(id) => self.count_failure(*id),
            Change::LoggedIn { session, user } => self.log_in(*session, *user),
            Change::LoggedOut(session) => self.close(*session),
            Change::Performed(performed) => self.done.remember(performed.clone()),
            Change::Recorded(record) => self.audit = record.head(),
            Change::KeyCreated { handle, key, session } => {
                self.tokens.end_key(*handle);
                self.keys.use_up(self.identity.node_id, *handle);
                self.keys.insert(*handle, key.clone(), *session);
            }
            Change::KeyDeleted(handle) => {
                self.tokens.end_key(*handle);
                self.keys.remove(*handle);
            }
            Change::KeyShared { handle, users, sharing } => self.keys.share(*handle, users, *sharing),
            Change::AttributeSet { handle, attribute, value } => self.keys.set(*handle, *attribute, value),
            Change::QuorumKeySet { id, key } => self.set_quorum_key(*id, key.as_ref()),
            Change::MValueSet { service, m } => self.m_values.set(*service, *m),
            Change::TokenIssued { token, session, user, issued } => {
                self.tokens.add(token.clone(), *session, *user, *issued);
            }
            Change::TokenApproved { token, approver, key } => {
                self.tokens.approve(*token, *approver, key.clone());
            }
            Change::TokenRemoved(token) => self.tokens.remove(*token),
            Change::ChallengeGiven { session, challenge } => {
                self.challenges.insert(*session, challenge.clone());
            }
            Change::ChallengeUsed(session) => drop(self.challenges.remove(session)),
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
        changes: &mut Vec<Change>,
    ) -> Result<Reply, No> {
        Self::must_have_owner(request, env)?;
        self.permit(request, caller)?;
        let token = self.approval(request, caller, env)?;
        let reply = self.reply(request, caller, env, changes)?;
        // What was there already needed no change, and costs no approvals.
        let is_used = request.effect() != Effect::Change || !changes.is_empty();
        changes.extend(token.filter(|_| is_used).map(Change::TokenRemoved));
        Ok(reply)
    }

    /// What the request itself says; permission and approvals have been seen to.
    fn reply(
        &self,
        request: &Request,
        caller: SessionId,
        env: &Env<'_>,
        changes: &mut Vec<Change>,
    ) -> Result<Reply, No> {
        match request {
            Request::DescribeHsm(_) => Ok(Reply::DescribeHsm(self.describe())),
            Request::ListMembers(_) => Ok(Reply::ListMembers(env.members.to_vec())),
            Request::ListUsers(_) => Ok(Reply::ListUsers(self.list_users())),
            Request::Login(op) => self.login(op, caller, env, changes).map(Reply::Login),
            Request::Logout(_) => {
                changes.push(Change::LoggedOut(caller));
                Ok(Reply::Logout(()))
            }
            Request::CreateUser(op) => self.create_user(op, caller, env, changes).map(Reply::CreateUser),
            Request::DeleteUser(op) => self.delete_user(op, changes).map(Reply::DeleteUser),
            Request::ChangePassword(op) => {
                self.change_password(op, caller, env, changes).map(Reply::ChangePassword)
            }
            Request::GenerateKey(op) => self.generate_key(op, caller, env, changes).map(Reply::GenerateKey),
            Request::DeleteKey(op) => Ok(Reply::DeleteKey(self.delete_key(op, caller, changes)?)),
            Request::FindKeys(op) => Ok(Reply::FindKeys(self.find_keys(op, caller)?)),
            Request::DescribeKey(op) => Ok(Reply::DescribeKey(self.describe_key(op, caller)?)),
            Request::ReadAttributes(op) => Ok(Reply::ReadAttributes(self.read_attributes(op, caller)?)),
            Request::SetAttribute(op) => Ok(Reply::SetAttribute(self.set_attribute(op, caller, changes)?)),
            Request::ShareKey(op) => Ok(Reply::ShareKey(self.share_key(op, caller, changes)?)),
            Request::ListKeys(op) => Ok(Reply::ListKeys(self.list_keys(op)?)),
            Request::ExtractKey(op) => self.extract_key(op, caller, env).map(Reply::ExtractKey),
            Request::InsertKey(op) => self.insert_copied_key(op, caller, env, changes).map(Reply::InsertKey),
            Request::ExtractUser(op) => self.extract_user(op, env).map(Reply::ExtractUser),
            Request::InsertUser(op) => self.insert_copied_user(op, env, changes).map(Reply::InsertUser),
            Request::GetCertificate(op) => Ok(Self::certificate(op, env).map(Reply::GetCertificate)?),
            Request::RegisterQuorumKey(op) => {
                Ok(Reply::RegisterQuorumKey(self.register_quorum_key(op, changes)?))
            }
            Request::SetMValue(op) => Ok(Reply::SetMValue(self.set_m_value(op, changes)?)),
            Request::GetMValue(op) => Ok(Reply::GetMValue(self.m_value(op))),
            Request::GetToken(op) => self.get_token(op, caller, env, changes).map(Reply::GetToken),
            Request::ApproveToken(op) => {
                Ok(Reply::ApproveToken(self.approve_token(op, caller, env, changes)?))
            }
            Request::ListTokens(_) => Ok(Reply::ListTokens(self.list_tokens(env))),
            Request::DeleteTokens(op) => Ok(Reply::DeleteTokens(self.delete_tokens(op, caller, changes)?)),
            Request::GetDigest(op) => self.get_digest(op, caller, env, changes).map(Reply::GetDigest),
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
