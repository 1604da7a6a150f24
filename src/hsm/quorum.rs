//! What M of N have to approve: M values, registered keys, and whether a request has its approvals.

use serde::{Deserialize, Serialize};

use super::permission::is_about;
use super::public_key::PublicKey;
use super::{Env, Event, Hsm, SessionId};
use crate::protocol::attribute::SetBy;
use crate::protocol::key::KeyHandle;
use crate::protocol::quorum::{
    GetMValue, MAX_REGISTRATION_TOKEN, RegisterQuorumKey, Service, SetMValue, Token,
};
use crate::protocol::user::{UserId, UserType};
use crate::protocol::{Access, Refusal, Request};

/// A key that verifies what its user approves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuorumKey {
    /// The key itself.
    pub public_key: PublicKey,
    /// Whether its user signs with it to log in, too.
    pub is_second_factor: bool,
}

/// How many have to approve, for each service that has such a number; 0 is not set.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MValues {
    user_management: u8,
    misc_co: u8,
}

/// The lowest M value that can be set, and the highest.
const M: std::ops::RangeInclusive<u8> = 2..=8;

impl MValues {
    fn of(&self, service: Service) -> u8 {
        match service {
            Service::UserManagement => self.user_management,
            Service::MiscCo => self.misc_co,
            Service::BackupByCu
            | Service::BackupByCo
            | Service::Cloning
            | Service::UseKey
            | Service::ManageKey => 0,
        }
    }

    pub(super) fn set(&mut self, service: Service, m: u8) {
        match service {
            Service::UserManagement => self.user_management = m,
            Service::MiscCo => self.misc_co = m,
            // It was decided that the service has one.
            Service::BackupByCu
            | Service::BackupByCo
            | Service::Cloning
            | Service::UseKey
            | Service::ManageKey => {}
        }
    }

    fn highest(&self) -> u8 {
        self.user_management.max(self.misc_co)
    }
}

/// What a request has to be approved for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Needed {
    pub(super) service: Service,
    /// 0 if it is not about a key.
    pub(super) key: KeyHandle,
    /// Always more than 1.
    pub(super) m: u8,
}

impl Hsm {
    /// The token by which a request is approved; `None` if it needs no approval.
    ///
    /// A request that is refused for want of approvals has not been looked at any further.
    pub(super) fn approval(
        &self,
        request: &Request,
        caller: SessionId,
        env: &Env<'_>,
    ) -> Result<Option<u32>, Refusal> {
        let Some(needed) = self.needed(request, caller) else { return Ok(None) };
        self.approved_token(needed, caller, env.now).map(Some).ok_or(Refusal::MxnAuthFailed)
    }

    fn needed(&self, request: &Request, caller: SessionId) -> Option<Needed> {
        let service = request.service()?;
        let own = |(_, user): (UserId, &super::User)| is_about(request, user);
        // Nobody has to ask others for a new password of one's own.
        if request.access() == Access::OfficerOrSelf && self.caller(caller).is_some_and(own) {
            return None;
        }
        // It is not the users of a key who vouch for it.
        if matches!(request, Request::SetAttribute(op) if op.attribute.set_by() == SetBy::Officer) {
            return None;
        }
        let is_of_key = matches!(service, Service::UseKey | Service::ManageKey);
        match request.key() {
            // An operation on a key that does not say which cannot be approved.
            None if is_of_key => Some(Needed { service, key: KeyHandle(0), m: u8::MAX }),
            Some(key) if is_of_key => self.m_of(service, key).map(|m| Needed { service, key, m }),
            Some(_) | None => {
                self.m_of(service, KeyHandle(0)).map(|m| Needed { service, key: KeyHandle(0), m })
            }
        }
    }

    /// How many have to approve an operation of the service on this key; `None` if nobody has to.
    pub(super) fn m_of(&self, service: Service, key: KeyHandle) -> Option<u8> {
        let m = match service {
            Service::UseKey | Service::ManageKey => self.keys.get(key).map_or(0, |key| key.m_value),
            Service::BackupByCu
            | Service::BackupByCo
            | Service::Cloning
            | Service::UserManagement
            | Service::MiscCo => self.m_values.of(service),
        };
        Some(m).filter(|m| *m > 1)
    }

    /// Whether a user is one of those who may approve this; the user's key is another question.
    pub(super) fn may_approve(&self, user: UserId, service: Service, key: KeyHandle) -> bool {
        match service {
            Service::UseKey | Service::ManageKey => self.keys.get(key).is_ok_and(|key| key.is_held_by(user)),
            Service::BackupByCu
            | Service::BackupByCo
            | Service::Cloning
            | Service::UserManagement
            | Service::MiscCo => self.users.get(&user).is_some_and(|user| user.user_type == UserType::Co),
        }
    }

    pub(super) fn m_value(&self, op: &GetMValue) -> u8 {
        self.m_values.of(op.service).max(1)
    }

    pub(super) fn set_m_value(&self, op: &SetMValue, events: &mut Vec<Event>) -> Result<(), Refusal> {
        let MValues { user_management, misc_co } = self.m_values;
        let breaks_order = match op.service {
            // Once it is set, those of service 4 approve a change, who are at least as many.
            Service::UserManagement => {
                (user_management > 0 && misc_co == 0) || (misc_co > 0 && op.m > misc_co)
            }
            Service::MiscCo => op.m < user_management,
            Service::BackupByCu
            | Service::BackupByCo
            | Service::Cloning
            | Service::UseKey
            | Service::ManageKey => return Err(Refusal::NoMValue),
        };
        if !M.contains(&op.m) || usize::from(op.m) > self.registered_officers() {
            return Err(Refusal::MValueInvalid);
        }
        if breaks_order {
            return Err(Refusal::MValueOrder);
        }
        events.push(Event::MValueSet { service: op.service, m: op.m });
        Ok(())
    }

    pub(super) fn register_quorum_key(
        &self,
        op: &RegisterQuorumKey,
        events: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        let (id, user) = self.find_user(op.user_type, &op.name)?;
        if user.has_second_factor() {
            return Err(Refusal::PublicKeyIsSecondFactor);
        }
        // A signed token would be an approval and a registration in one.
        if !(1..=MAX_REGISTRATION_TOKEN).contains(&op.token.len()) || Token::begins(&op.token) {
            return Err(Refusal::InvalidInput);
        }
        let public_key = self.key_for(Some(id), &op.public_key)?;
        if !public_key.verifies(&op.token, &op.signature) {
            return Err(Refusal::SignatureInvalid);
        }
        let key = Some(QuorumKey { public_key, is_second_factor: false });
        events.push(Event::QuorumKeySet { id, key });
        Ok(())
    }

    /// Reads a key that is to be a user's: nobody else may have it, or one person could approve as two.
    pub(super) fn key_for(&self, user: Option<UserId>, der: &[u8]) -> Result<PublicKey, Refusal> {
        let public_key = PublicKey::parse(der)?;
        if self.is_anothers(user, &public_key) { Err(Refusal::PublicKeyTaken) } else { Ok(public_key) }
    }

    fn is_anothers(&self, user: Option<UserId>, public_key: &PublicKey) -> bool {
        self.users.iter().any(|(id, other)| {
            Some(*id) != user && other.quorum_key.as_ref().is_some_and(|key| key.public_key == *public_key)
        })
    }

    /// Refuses a copied user whose key another user has here.
    pub(super) fn must_have_no_others_key(
        &self,
        user: Option<UserId>,
        key: Option<&QuorumKey>,
    ) -> Result<(), Refusal> {
        match key {
            Some(key) if self.is_anothers(user, &key.public_key) => Err(Refusal::PublicKeyTaken),
            Some(_) | None => Ok(()),
        }
    }

    /// Refuses to delete a CO without whom nothing could ever be approved again.
    pub(super) fn must_be_dispensable(&self, user: &super::User) -> Result<(), Refusal> {
        let approves = user.user_type == UserType::Co && user.quorum_key.is_some();
        let left = self.registered_officers().saturating_sub(1);
        if approves && left < usize::from(self.m_values.highest()) {
            return Err(Refusal::OfficerNeeded);
        }
        Ok(())
    }

    pub(super) fn set_quorum_key(&mut self, id: UserId, key: Option<&QuorumKey>) {
        if let Some(user) = self.users.get_mut(&id) {
            user.quorum_key = key.cloned();
        }
    }

    fn registered_officers(&self) -> usize {
        self.users.values().filter(|user| user.user_type == UserType::Co && user.quorum_key.is_some()).count()
    }
}
