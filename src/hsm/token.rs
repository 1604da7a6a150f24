//! Tokens: got by a session, approved by signatures, used up by one operation.
//!
//! They are no history: a token ends with the login of its session, so it never outlives a restart.

use std::collections::BTreeMap;

use super::quorum::Needed;
use super::{Env, Event, Hsm, No, PublicKey, SessionId, Work, Worked};
use crate::protocol::Refusal;
use crate::protocol::key::KeyHandle;
use crate::protocol::quorum::{ApproveToken, DeleteTokens, GetToken, Service, Token, TokenAbout, TokenRow};
use crate::protocol::user::{UserId, UserType};

/// How many tokens an HSM holds.
pub const MAX_TOKENS: usize = 1024;

/// How long a token can be approved and used, in microseconds.
const VALIDITY: u64 = 600 * 1_000_000;

/// How far a clock may be corrected backwards, in microseconds.
const CLOCK_STEP: u64 = 60 * 1_000_000;

/// All tokens of an HSM, by their numbers.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Tokens {
    held: BTreeMap<u32, Held>,
    last: u32,
}

#[derive(Clone, PartialEq, Eq)]
struct Held {
    token: Token,
    session: SessionId,
    user: UserId,
    /// Microseconds since 1970.
    issued: u64,
    /// By which key: an approval ends with it, and no key approves twice, whoever has it.
    approvals: BTreeMap<UserId, PublicKey>,
}

impl Held {
    /// A clock that was set back makes no token last longer.
    fn left(&self, now: u64) -> u64 {
        if now.saturating_add(CLOCK_STEP) < self.issued {
            return 0;
        }
        self.issued.saturating_add(VALIDITY).saturating_sub(now).min(VALIDITY)
    }

    fn is_expired(&self, now: u64) -> bool {
        self.left(now) == 0
    }
}

impl Tokens {
    pub(super) fn add(&mut self, token: Token, session: SessionId, user: UserId, issued: u64) {
        self.last = self.last.max(token.about.id);
        let approvals = BTreeMap::new();
        self.held.insert(token.about.id, Held { token, session, user, issued, approvals });
    }

    pub(super) fn approve(&mut self, token: u32, approver: UserId, key: PublicKey) {
        if let Some(held) = self.held.get_mut(&token) {
            held.approvals.insert(approver, key);
        }
    }

    /// Another key may have the handle from now on.
    pub(super) fn end_key(&mut self, handle: KeyHandle) {
        self.held.retain(|_, held| held.token.about.key != handle);
    }

    pub(super) fn remove(&mut self, token: u32) {
        self.held.remove(&token);
    }

    pub(super) fn end_session(&mut self, session: SessionId) {
        self.held.retain(|_, held| held.session != session);
    }

    pub(super) fn len(&self) -> usize {
        self.held.len()
    }
}

impl Hsm {
    /// A token of this session for this, that enough of those who may approve it have approved.
    pub(super) fn approved_token(&self, needed: Needed, caller: SessionId, now: u64) -> Option<u32> {
        let is_approved = |held: &Held| {
            let Needed { service, key, m } = needed;
            let about = &held.token.about;
            (held.session, about.service, about.key) == (caller, service, key)
                && !held.is_expired(now)
                && self.counted(held).count() >= usize::from(m)
        };
        self.tokens.held.iter().find(|(_, held)| is_approved(held)).map(|(id, _)| *id)
    }

    pub(super) fn get_token(
        &self,
        op: &GetToken,
        caller: SessionId,
        env: &Env<'_>,
        events: &mut Vec<Event>,
    ) -> Result<Token, No> {
        let (user, name) = self.may_get(op, caller)?;
        if self.m_of(op.service, op.key).is_none() {
            return Err(Refusal::NoQuorum.into());
        }
        let of_keys = |held: &&Held| held.token.about.key != KeyHandle(0);
        let is_full = self.tokens.held.len() >= MAX_TOKENS
            // Whoever has a key must not keep the officers from theirs.
            || (op.key != KeyHandle(0) && self.tokens.held.values().filter(of_keys).count() >= MAX_TOKENS / 2);
        let mut expired = self.tokens.held.iter().filter(|(_, held)| held.is_expired(env.now));
        let in_the_way = match expired.next() {
            _ if !is_full => None,
            Some((id, _)) => Some(*id),
            None => return Err(Refusal::TooManyTokens.into()),
        };
        let Some(Worked::Random(nonce)) = env.worked else { return Err(No::Needs(Work::Random)) };
        events.extend(in_the_way.map(Event::TokenRemoved));
        let (id, node) = (self.tokens.last.saturating_add(1), self.identity.node_id);
        let about = TokenAbout { id, service: op.service, node, key: op.key, user: name };
        let token = Token { about, hsm_id: self.identity.hsm_id.clone(), nonce: *nonce };
        events.push(Event::TokenIssued { token: token.clone(), session: caller, user, issued: env.now });
        Ok(token)
    }

    pub(super) fn approve_token(
        &self,
        op: &ApproveToken,
        caller: SessionId,
        env: &Env<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        let (id, held) = self.own_token_in(&op.tokens, caller)?;
        if held.is_expired(env.now) {
            return Err(Refusal::TokenExpired);
        }
        let TokenAbout { service, key, .. } = held.token.about;
        let (approver, user) = self.find_user(op.user_type, &op.name)?;
        if !self.may_approve(approver, service, key) {
            return Err(Refusal::NotAnApprover);
        }
        let registered = user.quorum_key.as_ref().ok_or(Refusal::ApproverNotRegistered)?;
        if !registered.public_key.verifies(&op.tokens, &op.signature) {
            return Err(Refusal::SignatureInvalid);
        }
        if held.approvals.values().any(|key| *key == registered.public_key) {
            return Err(Refusal::AlreadyApproved);
        }
        let key = registered.public_key.clone();
        events.push(Event::TokenApproved { token: id, approver, key });
        Ok(())
    }

    pub(super) fn list_tokens(&self, env: &Env<'_>) -> Vec<TokenRow> {
        let row = |held: &Held| {
            let about = held.token.about.clone();
            TokenRow {
                validity: u32::try_from(held.left(env.now) / 1_000_000).unwrap_or_default(),
                required: self.m_of(about.service, about.key).unwrap_or(1),
                approvers: self.counted(held).map(str::to_owned).collect(),
                about,
            }
        };
        self.tokens.held.values().map(row).collect()
    }

    pub(super) fn delete_tokens(
        &self,
        op: &DeleteTokens,
        caller: SessionId,
        events: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        let (user, _) = self.caller(caller).ok_or(Refusal::NotLoggedIn)?;
        match op {
            DeleteTokens::OfFile(file) => {
                let (id, held) = self.token_in(file)?;
                if held.user != user {
                    return Err(Refusal::TokenOfAnother);
                }
                events.push(Event::TokenRemoved(id));
            }
            DeleteTokens::All => {
                let own = self.tokens.held.iter().filter(|(_, held)| held.user == user);
                events.extend(own.map(|(id, _)| Event::TokenRemoved(*id)));
            }
        }
        Ok(())
    }

    /// Whether the caller may want this approved, and who that is.
    fn may_get(&self, op: &GetToken, caller: SessionId) -> Result<(UserId, String), Refusal> {
        let (id, user) = self.caller(caller).ok_or(Refusal::NotLoggedIn)?;
        let is_for_officers = match op.service {
            Service::UseKey => self.usable_key(op.key, caller).map(|_| false)?,
            Service::ManageKey => self.own_key(op.key, caller).map(|_| false)?,
            Service::UserManagement | Service::MiscCo => true,
            Service::BackupByCu | Service::BackupByCo | Service::Cloning => {
                return Err(Refusal::ServiceNotOffered);
            }
        };
        if is_for_officers && user.user_type != UserType::Co {
            return Err(Refusal::NotAuthorized);
        }
        if is_for_officers && op.key != KeyHandle(0) {
            return Err(Refusal::InvalidInput);
        }
        if !user.is_called(user.user_type, &op.name) {
            return Err(Refusal::TokenForAnother);
        }
        Ok((id, user.name.as_str().to_owned()))
    }

    /// The token in the file that this session got.
    fn own_token_in(&self, file: &[u8], caller: SessionId) -> Result<(u32, &Held), Refusal> {
        let (user, _) = self.caller(caller).ok_or(Refusal::NotLoggedIn)?;
        let (id, held) = self.token_in(file)?;
        match held {
            held if held.user != user => Err(Refusal::TokenOfAnother),
            held if held.session != caller => Err(Refusal::TokenOfAnotherSession),
            held => Ok((id, held)),
        }
    }

    /// The one token of this HSM in a file.
    fn token_in(&self, file: &[u8]) -> Result<(u32, &Held), Refusal> {
        let tokens = Token::parse_file(file).map_err(|_| Refusal::InvalidInput)?;
        let mut of_this = tokens.iter().filter(|token| token.hsm_id == self.identity.hsm_id);
        let token = of_this.next().ok_or(Refusal::TokenForeign)?;
        if of_this.next().is_some() {
            return Err(Refusal::InvalidInput);
        }
        let held = self.tokens.held.get(&token.about.id).filter(|held| held.token == *token);
        held.map(|held| (token.about.id, held)).ok_or(Refusal::TokenGone)
    }

    /// Who has approved, and may still do so: an approval ends with what it rests on.
    fn counted<'a>(&'a self, held: &'a Held) -> impl Iterator<Item = &'a str> {
        let TokenAbout { service, key, .. } = held.token.about;
        held.approvals.iter().filter_map(move |(id, by)| {
            let user = self.users.get(id).filter(|_| self.may_approve(*id, service, key))?;
            let has_it_still = user.quorum_key.as_ref().is_some_and(|now| now.public_key == *by);
            has_it_still.then_some(user.name.as_str())
        })
    }
}
