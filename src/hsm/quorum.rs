//! What M of N users have to approve: M values, registered keys, and whether a request has its approvals.

use serde::{Deserialize, Serialize};

use super::permission::is_about;
use super::public_key::PublicKey;
use super::{Case, Decide, Decided, Event, Hsm, Ruling, User};
use crate::protocol::key::KeyHandle;
use crate::protocol::quorum::{
    GetMValue, MAX_REGISTRATION_TOKEN, RegisterQuorumKey, Service, SetMValue, Token,
};
use crate::protocol::user::{UserId, UserType};
use crate::protocol::{Access, Refusal, Request};

/// A key that verifies what its user approves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuorumKey {
    /// RSA, of 2048 bits.
    pub public_key: PublicKey,
    /// Whether its user also signs with it to log in.
    pub is_second_factor: bool,
}

/// How many have to approve, for each service that has such a number; 0 is not set.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MValues {
    user_management: u8,
    misc_co: u8,
}

/// The M values that can be set.
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
            // The rule has refused these.
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

impl Case<'_> {
    /// The tokens by which a request is approved: one for each approval that it needs.
    pub(super) fn approvals(&self, request: &Request) -> Result<Vec<u32>, Refusal> {
        let approved = |needed| self.approved_token(needed).ok_or(Refusal::MxnAuthFailed);
        self.needed(request).into_iter().map(approved).collect()
    }

    fn needed(&self, request: &Request) -> Vec<Needed> {
        let Some(service) = request.service() else { return Vec::new() };
        // Nobody has to ask others for a new password of their own.
        let is_own = self.user().is_ok_and(|(_, user)| is_about(request, user));
        if is_own && request.access() == Access::OfficerOrSelf {
            return Vec::new();
        }
        let keys = match service {
            Service::UseKey | Service::ManageKey => [request.key(), request.other_key()],
            Service::BackupByCu
            | Service::BackupByCo
            | Service::Cloning
            | Service::UserManagement
            | Service::MiscCo => [Some(KeyHandle(0)), None],
        };
        if keys == [None, None] {
            // An operation on a key that does not say which cannot be approved.
            return vec![Needed { service, key: KeyHandle(0), m: u8::MAX }];
        }
        let needed = |key| self.hsm.m_of(service, key).map(|m| Needed { service, key, m });
        keys.into_iter().flatten().filter_map(needed).collect()
    }
}

impl Decide for GetMValue {
    fn decide(&self, case: &Case<'_>) -> Ruling<u8> {
        Ok(Decided::read(case.hsm.m_values.of(self.service).max(1)))
    }
}

impl Decide for SetMValue {
    fn decide(&self, case: &Case<'_>) -> Ruling<()> {
        let MValues { user_management, misc_co } = case.hsm.m_values;
        let breaks_order = match self.service {
            // Once it is set, those of service 4 approve a change, who are at least as many.
            Service::UserManagement => {
                (user_management > 0 && misc_co == 0) || (misc_co > 0 && self.m > misc_co)
            }
            Service::MiscCo => self.m < user_management,
            Service::BackupByCu
            | Service::BackupByCo
            | Service::Cloning
            | Service::UseKey
            | Service::ManageKey => return Err(Refusal::NoMValue.into()),
        };
        if !M.contains(&self.m) || usize::from(self.m) > case.hsm.count(is_officer) {
            return Err(Refusal::MValueInvalid.into());
        }
        if breaks_order {
            return Err(Refusal::MValueOrder.into());
        }
        Ok(Decided::done(Event::MValueSet { service: self.service, m: self.m }))
    }
}

impl Decide for RegisterQuorumKey {
    fn decide(&self, case: &Case<'_>) -> Ruling<()> {
        let (id, user) = case.hsm.find_user(self.user_type, &self.name)?;
        if user.has_second_factor() {
            return Err(Refusal::PublicKeyIsSecondFactor.into());
        }
        // A signed quorum token would be an approval and a registration in one.
        if !(1..=MAX_REGISTRATION_TOKEN).contains(&self.token.len()) || Token::begins(&self.token) {
            return Err(Refusal::InvalidInput.into());
        }
        let public_key = case.hsm.key_for(Some(id), &self.public_key)?;
        if !public_key.verifies(&self.token, &self.signature) {
            return Err(Refusal::SignatureInvalid.into());
        }
        let key = Some(QuorumKey { public_key, is_second_factor: false });
        Ok(Decided::done(Event::QuorumKeySet { id, key }))
    }
}

impl Hsm {
    /// Every service with its M value; 1 is none, and keys have M values of their own.
    pub(super) fn all_m_values(&self) -> Vec<(Service, u8)> {
        Service::ALL.map(|service| (service, self.m_values.of(service).max(1))).to_vec()
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

    /// Whether a user may approve this; whether the user has a registered key is another question.
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

    /// Reads a user's new key: nobody else may have it, or one person could approve as two.
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

    /// Refuses to delete a CO without whom nothing could ever be approved again. Counted are those who have a registered
    /// key and those who can still register one, which only they themselves can do.
    pub(super) fn must_be_dispensable(&self, user: &User) -> Result<(), Refusal> {
        let m = usize::from(self.m_values.highest());
        let is_needed = |kind: fn(&User) -> bool| kind(user) && self.count(kind).saturating_sub(1) < m;
        if is_needed(is_officer) || is_needed(is_approver) { Err(Refusal::OfficerNeeded) } else { Ok(()) }
    }

    pub(super) fn set_quorum_key(&mut self, id: UserId, key: Option<&QuorumKey>) {
        if let Some(user) = self.users.get_mut(&id) {
            user.quorum_key = key.cloned();
        }
    }

    /// Those who could approve something now.
    pub(super) fn approvers(&self) -> usize {
        self.count(is_approver)
    }

    fn count(&self, kind: fn(&User) -> bool) -> usize {
        self.users.values().filter(|user| kind(user)).count()
    }
}

fn is_officer(user: &User) -> bool {
    user.user_type == UserType::Co
}

fn is_approver(user: &User) -> bool {
    is_officer(user) && user.quorum_key.is_some()
}
