//! Tokens: got by a session, approved by signatures, used up by one operation.
//!
//! They are not stored: a token ends with the login of its session, so it never outlives a restart.

use std::collections::BTreeMap;

use super::quorum::Needed;
use super::{Case, Decide, Decided, Event, Hsm, Identity, No, PublicKey, Ruling, SessionId, Work, Worked};
use crate::protocol::Refusal;
use crate::protocol::key::KeyHandle;
use crate::protocol::quorum::{
    ApproveToken, DeleteTokens, GetToken, ListTokens, Service, Token, TokenAbout, TokenRow,
};
use crate::protocol::user::{UserId, UserType};

/// How many tokens an HSM holds.
pub const MAX_TOKENS: usize = 1024;

/// How long a token can be approved and used, in microseconds.
const VALIDITY: u64 = 600 * 1_000_000;

/// How far the clock may be set back without ending tokens, in microseconds.
const CLOCK_STEP: u64 = 60 * 1_000_000;

/// All tokens of an HSM, by their numbers.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Tokens {
    held: BTreeMap<u32, HeldToken>,
    last: u32,
}

#[derive(Clone, PartialEq, Eq)]
struct HeldToken {
    token: Token,
    session: SessionId,
    user: UserId,
    /// Microseconds since 1970.
    issued: u64,
    /// The key of each approval: the approval ends with it, and no key approves twice, whoever has it.
    approvals: BTreeMap<UserId, PublicKey>,
}

impl HeldToken {
    /// Setting the clock back makes no token last longer.
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
        self.held.insert(token.about.id, HeldToken { token, session, user, issued, approvals });
    }

    pub(super) fn approve(&mut self, token: u32, approver: UserId, key: PublicKey) {
        if let Some(held) = self.held.get_mut(&token) {
            held.approvals.insert(approver, key);
        }
    }

    /// Ends the tokens for a key whose handle may now be another's.
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

impl Decide for GetToken {
    fn decide(&self, case: &Case<'_>) -> Ruling<Token> {
        let (user, name) = case.may_get(self)?;
        if case.hsm.m_of(self.service, self.key).is_none() {
            return Err(Refusal::NoQuorum.into());
        }
        let in_the_way = case.in_the_way_of(self)?;
        let Some(Worked::Random(nonce)) = case.env.worked else { return Err(No::Needs(Work::Random)) };
        let Identity { hsm_id, node_id, .. } = &case.hsm.identity;
        let id = case.hsm.tokens.last.saturating_add(1);
        let about = TokenAbout { id, service: self.service, node: *node_id, key: self.key, user: name };
        let token = Token { about, hsm_id: hsm_id.clone(), nonce: *nonce };
        let (session, issued) = (case.caller, case.env.now);
        let got = Event::TokenIssued { token: token.clone(), session, user, issued };
        Ok(Decided::new(token, in_the_way.map(Event::TokenRemoved).into_iter().chain([got]).collect()))
    }
}

impl Decide for ApproveToken {
    fn decide(&self, case: &Case<'_>) -> Ruling<()> {
        let (token, held) = case.own_token_in(&self.tokens)?;
        if held.is_expired(case.env.now) {
            return Err(Refusal::TokenExpired.into());
        }
        let TokenAbout { service, key, .. } = held.token.about;
        let (approver, user) = case.hsm.find_user(self.user_type, &self.name)?;
        if !case.hsm.may_approve(approver, service, key) {
            return Err(Refusal::NotAnApprover.into());
        }
        let registered = user.quorum_key.as_ref().ok_or(Refusal::ApproverNotRegistered)?;
        if !registered.public_key.verifies(&self.tokens, &self.signature) {
            return Err(Refusal::SignatureInvalid.into());
        }
        if held.approvals.values().any(|key| *key == registered.public_key) {
            return Err(Refusal::AlreadyApproved.into());
        }
        let key = registered.public_key.clone();
        Ok(Decided::done(Event::TokenApproved { token, approver, key }))
    }
}

impl Decide for ListTokens {
    fn decide(&self, case: &Case<'_>) -> Ruling<Vec<TokenRow>> {
        let row = |held: &HeldToken| {
            let about = held.token.about.clone();
            TokenRow {
                validity: u32::try_from(held.left(case.env.now) / 1_000_000).unwrap_or_default(),
                required: case.hsm.m_of(about.service, about.key).unwrap_or(1),
                approvers: case.hsm.counted(held).map(str::to_owned).collect(),
                about,
            }
        };
        Ok(Decided::read(case.hsm.tokens.held.values().map(row).collect()))
    }
}

impl Decide for DeleteTokens {
    fn decide(&self, case: &Case<'_>) -> Ruling<()> {
        let (user, _) = case.user()?;
        match self {
            Self::OfFile(file) => match case.hsm.token_in(file)? {
                (_, held) if held.user != user => Err(Refusal::TokenOfAnother.into()),
                (token, _) => Ok(Decided::done(Event::TokenRemoved(token))),
            },
            Self::All => {
                let own = case.hsm.tokens.held.iter().filter(|(_, held)| held.user == user);
                Ok(Decided::new((), own.map(|(token, _)| Event::TokenRemoved(*token)).collect()))
            }
        }
    }
}

impl Case<'_> {
    /// A token of this session for this, with enough approvals by those who may approve it.
    pub(super) fn approved_token(&self, needed: Needed) -> Option<u32> {
        let is_approved = |held: &HeldToken| {
            let Needed { service, key, m } = needed;
            let about = &held.token.about;
            (held.session, about.service, about.key) == (self.caller, service, key)
                && !held.is_expired(self.env.now)
                && self.hsm.counted(held).count() >= usize::from(m)
        };
        self.hsm.tokens.held.iter().find(|(_, held)| is_approved(held)).map(|(id, _)| *id)
    }

    /// The expired token that has to go for this one to fit, if the HSM is full.
    fn in_the_way_of(&self, op: &GetToken) -> Result<Option<u32>, Refusal> {
        let held = &self.hsm.tokens.held;
        let of_keys = |held: &&HeldToken| held.token.about.key != KeyHandle(0);
        let is_full = held.len() >= MAX_TOKENS
            // Half are kept for officers: any CU can make a key with an M value, and get tokens for it.
            || (op.key != KeyHandle(0) && held.values().filter(of_keys).count() >= MAX_TOKENS / 2);
        if !is_full {
            return Ok(None);
        }
        let expired = held.iter().find(|(_, held)| held.is_expired(self.env.now));
        expired.map(|(id, _)| Some(*id)).ok_or(Refusal::TooManyTokens)
    }

    /// Whether the caller may have this approved, and who that is.
    fn may_get(&self, op: &GetToken) -> Result<(UserId, String), Refusal> {
        let (id, user) = self.user()?;
        let is_for_officers = match op.service {
            Service::UseKey => self.usable_key(op.key).map(|_| false)?,
            Service::ManageKey => self.own_key(op.key).map(|_| false)?,
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
    fn own_token_in(&self, file: &[u8]) -> Result<(u32, &HeldToken), Refusal> {
        let (user, _) = self.user()?;
        match self.hsm.token_in(file)? {
            (_, held) if held.user != user => Err(Refusal::TokenOfAnother),
            (_, held) if held.session != self.caller => Err(Refusal::TokenOfAnotherSession),
            own => Ok(own),
        }
    }
}

impl Hsm {
    /// The one token of this HSM in a file.
    fn token_in(&self, file: &[u8]) -> Result<(u32, &HeldToken), Refusal> {
        let tokens = Token::parse_file(file).map_err(|_| Refusal::InvalidInput)?;
        // Of two, nobody could say which one a signature approves.
        let mut of_this = tokens.iter().filter(|token| token.hsm_id == self.identity.hsm_id);
        let token = of_this.next().ok_or(Refusal::TokenForeign)?;
        if of_this.next().is_some() {
            return Err(Refusal::InvalidInput);
        }
        let held = self.tokens.held.get(&token.about.id).filter(|held| held.token == *token);
        held.map(|held| (token.about.id, held)).ok_or(Refusal::TokenGone)
    }

    /// The names of those who have approved and still could: an approval ends with the right and the key it rests on.
    fn counted<'a>(&'a self, held: &'a HeldToken) -> impl Iterator<Item = &'a str> {
        let TokenAbout { service, key, .. } = held.token.about;
        held.approvals.iter().filter_map(move |(id, by)| {
            let user = self.users.get(id).filter(|_| self.may_approve(*id, service, key))?;
            let has_key_still = user.quorum_key.as_ref().is_some_and(|now| now.public_key == *by);
            has_key_still.then_some(user.name.as_str())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{BTreeMap, HeldToken, Service, Token, TokenAbout};
    use crate::hsm::SessionId;
    use crate::protocol::key::KeyHandle;
    use crate::protocol::user::UserId;

    #[test]
    fn a_clock_that_is_set_back_a_little_ends_no_token_and_makes_none_last_longer() {
        const SECOND: u64 = 1_000_000;
        let issued = 1000 * SECOND;
        let (service, user) = (Service::MiscCo, "ann".to_owned());
        let about = TokenAbout { id: 1, service, node: 0, key: KeyHandle(0), user };
        let token = Token { about, hsm_id: "hsm-1".to_owned(), nonce: [0; 32] };
        let (session, user, approvals) = (SessionId(1), UserId(1), BTreeMap::new());
        let held = HeldToken { token, session, user, issued, approvals };
        let (whole, back) = (600 * SECOND, issued - 60 * SECOND);
        assert_eq!([back - 1, back, issued].map(|now| held.left(now)), [0, whole, whole]);
        let end = issued + whole;
        assert_eq!([end - 1, end, end + 1].map(|now| held.left(now)), [1, 0, 0]);
        assert_eq!([end - 1, end].map(|now| held.is_expired(now)), [false, true]);
    }
}
