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

#[cfg(test)]
mod tests {
    use super::Service::{Cloning, MiscCo, UserManagement};
    use super::{MValues, QuorumKey, Service, SetMValue, is_approver, is_officer};
    use crate::hsm::case::{Case, Decide, No};
    use crate::hsm::{Certificates, Env, Hsm, PasswordHash, PublicKey, SessionId, User, UserName};
    use crate::protocol::Refusal;
    use crate::protocol::certificate::Certificate;
    use crate::protocol::key::KeyHandle;
    use crate::protocol::user::{UserId, UserType};

    /// Those of service 4 approve changes of both numbers: it comes second, and is never the lower one.
    #[test]
    fn m_values_are_set_in_order_and_for_no_more_than_there_are() {
        const ORDER: Result<(), Refusal> = Err(Refusal::MValueOrder);
        const INVALID: Result<(), Refusal> = Err(Refusal::MValueInvalid);
        for (set, service, m, expected) in [
            ((0, 0), UserManagement, 2, Ok(())),
            ((0, 0), UserManagement, 4, Ok(())),
            ((0, 0), UserManagement, 5, INVALID),
            ((0, 0), UserManagement, 1, INVALID),
            ((2, 0), UserManagement, 2, ORDER),
            ((2, 2), UserManagement, 2, Ok(())),
            ((2, 2), UserManagement, 3, ORDER),
            ((2, 3), UserManagement, 3, Ok(())),
            ((0, 3), UserManagement, 3, Ok(())),
            ((0, 3), UserManagement, 4, ORDER),
            ((0, 0), MiscCo, 2, Ok(())),
            ((2, 0), MiscCo, 2, Ok(())),
            ((3, 0), MiscCo, 2, ORDER),
            ((3, 0), MiscCo, 4, Ok(())),
            ((3, 4), MiscCo, 1, INVALID),
            ((0, 0), Cloning, 2, Err(Refusal::NoMValue)),
        ] {
            assert_eq!(ask(&hsm(4, 0, set), service, m), expected, "{set:?} {service:?} {m}");
        }
    }

    #[test]
    fn a_service_has_the_m_value_that_was_set() {
        let mut hsm = hsm(4, 0, (0, 0));
        assert!(hsm.all_m_values().iter().all(|(_, m)| *m == 1));
        hsm.m_values.set(UserManagement, 2);
        hsm.m_values.set(MiscCo, 3);
        hsm.m_values.set(Cloning, 4);
        let set: Vec<_> = hsm.all_m_values().into_iter().filter(|(_, m)| *m != 1).collect();
        assert_eq!(set, [(UserManagement, 2), (MiscCo, 3)]);
        let none = KeyHandle(0);
        assert_eq!([UserManagement, MiscCo, Cloning].map(|of| hsm.m_of(of, none)), [Some(2), Some(3), None]);
        hsm.m_values.set(MiscCo, 1);
        assert_eq!(hsm.m_of(MiscCo, none), None, "1 is nobody else");
    }

    /// As many COs have to remain as approve, and as many with a key.
    #[test]
    fn officers_who_are_needed_for_approvals_are_not_deleted() {
        for (officers, registered, set, expected) in [
            (1, 0, (0, 0), true),
            (3, 3, (2, 0), true),
            (2, 2, (2, 0), false),
            (3, 2, (2, 0), false),
            (3, 3, (2, 3), false),
            (4, 4, (2, 3), true),
        ] {
            let hsm = hsm(officers, registered, set);
            let is_dispensable = |user| hsm.must_be_dispensable(user) == Ok(());
            let officer = hsm.users.get(&UserId(1)).unwrap();
            assert_eq!(is_dispensable(officer), expected, "{officers} {registered} {set:?}");
            assert!(is_dispensable(&user(UserType::Cu, None)), "no CU approves for services");
        }
    }

    /// Counted are those without a key, too: they can still register one.
    #[test]
    fn an_officer_without_a_key_is_not_needed_as_an_approver() {
        let hsm = hsm(4, 2, (2, 0));
        assert_eq!((hsm.count(is_officer), hsm.approvers()), (4, 2));
        assert!(!is_approver(&user(UserType::Cu, Some(key(1)))));
        assert_eq!(hsm.must_be_dispensable(hsm.users.get(&UserId(4)).unwrap()), Ok(()));
        assert_eq!(hsm.must_be_dispensable(hsm.users.get(&UserId(1)).unwrap()), Err(Refusal::OfficerNeeded));
    }

    #[test]
    fn one_key_is_one_users() {
        let hsm = hsm(2, 2, (0, 0));
        let of = |user, n| hsm.must_have_no_others_key(user, Some(&key(n)));
        assert_eq!(of(Some(UserId(1)), 1), Ok(()), "the own one");
        assert_eq!(of(Some(UserId(1)), 2), Err(Refusal::PublicKeyTaken));
        assert_eq!(of(None, 2), Err(Refusal::PublicKeyTaken));
        assert_eq!(of(None, 3), Ok(()));
        assert_eq!(hsm.must_have_no_others_key(None, None), Ok(()));
    }

    #[test]
    fn officers_approve_for_services() {
        let mut hsm = hsm(1, 0, (0, 0));
        hsm.insert_user(UserId(9), user(UserType::Cu, None));
        let may = |id| hsm.may_approve(UserId(id), UserManagement, KeyHandle(0));
        assert_eq!([1, 9, 10].map(may), [true, false, false]);
    }

    /// With so many COs, the first of whom have registered keys.
    fn hsm(officers: u32, registered: u32, (user_management, misc_co): (u8, u8)) -> Hsm {
        let mut hsm = Hsm { m_values: MValues { user_management, misc_co }, ..Hsm::default() };
        for id in 1..=officers {
            hsm.insert_user(UserId(id), user(UserType::Co, (id <= registered).then(|| key(id))));
        }
        hsm
    }

    fn user(user_type: UserType, quorum_key: Option<QuorumKey>) -> User {
        let name = UserName::parse("name").unwrap();
        User::new(user_type, name, PasswordHash(String::new())).with_quorum_key(quorum_key)
    }

    fn key(number: u32) -> QuorumKey {
        let public_key = PublicKey::numbered(u8::try_from(number).unwrap());
        QuorumKey { public_key, is_second_factor: false }
    }

    fn ask(hsm: &Hsm, service: Service, m: u8) -> Result<(), Refusal> {
        let certificate = || Certificate(Vec::new());
        let certificates = &Certificates {
            manufacturer_root: certificate(),
            hardware: certificate(),
            cluster_by_hardware: certificate(),
            owner: None,
        };
        let env = &Env { now: 0, members: &[], max_connections: 1, certificates, worked: None };
        match (SetMValue { service, m }).decide(&Case { hsm, caller: SessionId(1), env }) {
            Ok(_) => Ok(()),
            Err(No::Refused(refusal)) => Err(refusal),
            Err(_) => panic!("it needs no work"),
        }
    }
}
