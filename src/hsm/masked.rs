//! The rules for copies: what may leave the HSM, and what may come in.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Copied, CopiedKey, CopiedUser, Env, Event, Hsm, Key, MAX_KEYS, MAX_USERS, No, SessionId, User};
use super::{UserName, Work, Worked};
use crate::protocol::Refusal;
use crate::protocol::key::KeyHandle;
use crate::protocol::masked::{
    Difference, Existing, ExtractKey, ExtractUser, InsertKey, InsertUser, Inserted, MaskedObject, Place,
};
use crate::protocol::user::{UserId, UserType};

impl Hsm {
    /// A CU copies its own keys, a CO and the AU any.
    pub(super) fn extract_key(
        &self,
        op: &ExtractKey,
        caller: SessionId,
        env: &Env<'_>,
    ) -> Result<MaskedObject, No> {
        let key = self.keys.token(op.handle)?;
        self.must_manage(key.owner, caller)?;
        let name = |id: &UserId| {
            let user = self.users.get(id).ok_or(Refusal::NoSuchUser)?;
            Ok((user.user_type, user.name.as_str().to_owned()))
        };
        let copied = CopiedKey {
            handle: op.handle,
            attributes: key.attributes.clone(),
            material: key.material.clone(),
            owner: name(&key.owner)?,
            shared_with: key.shared_with.iter().map(name).collect::<Result<_, Refusal>>()?,
            m_value: key.m_value,
            approved: key.approved,
        };
        masked(Copied::Key(copied), env)
    }

    pub(super) fn extract_user(&self, op: &ExtractUser, env: &Env<'_>) -> Result<MaskedObject, No> {
        let user = self.users.get(&op.id).ok_or(Refusal::NoSuchUser)?;
        let copied = CopiedUser {
            user_type: manageable(user.user_type)?,
            name: user.name.as_str().to_owned(),
            password: user.password.clone(),
            quorum_key: user.quorum_key.clone(),
        };
        masked(Copied::User(copied), env)
    }

    pub(super) fn insert_copied_key(
        &self,
        op: &InsertKey,
        caller: SessionId,
        env: &Env<'_>,
        events: &mut Vec<Event>,
    ) -> Result<Inserted<KeyHandle>, No> {
        let copied = match unmasked(&op.object, env)? {
            Copied::Key(copied) => copied,
            Copied::User(_) => return Err(Refusal::MaskedObjectInvalid.into()),
        };
        let mut key = self.resolve(copied)?;
        self.must_manage(key.owner, caller)?;
        if key.m_value > 1 && key.approved < self.keys.approved(&key.material.fingerprint) {
            return Err(Refusal::CopyIsOlder.into());
        }
        let handle = match op.place {
            Place::SameHandle => copied.handle,
            Place::NewHandle => {
                let free = self.keys.handles(self.identity.node_id, 1)?;
                free.first().copied().ok_or(Refusal::TooManyKeys)?
            }
        };
        let present = self.keys.get(handle);
        if !self.is_overseer(caller) {
            keep_what_others_decide(&mut key, present.ok());
        }
        match present {
            Ok(present) => {
                // A CU may own the copy and not what is here.
                self.must_manage(present.owner, caller)?;
                Ok(replace_key(handle, present, key, op.existing, events)?)
            }
            Err(_) if self.keys.len() >= MAX_KEYS => Err(Refusal::TooManyKeys.into()),
            Err(_) => {
                events.push(Event::KeyCreated { handle, key, session: None });
                Ok(Inserted::Created(handle))
            }
        }
    }

    pub(super) fn insert_copied_user(
        &self,
        op: &InsertUser,
        env: &Env<'_>,
        events: &mut Vec<Event>,
    ) -> Result<Inserted<UserId>, No> {
        let copied = match unmasked(&op.object, env)? {
            Copied::User(copied) => copied,
            Copied::Key(_) => return Err(Refusal::MaskedObjectInvalid.into()),
        };
        let user_type = manageable(copied.user_type)?;
        let found = self.find_user(user_type, &copied.name);
        self.must_have_no_others_key(found.ok().map(|(id, _)| id), copied.quorum_key.as_ref())?;
        let Ok((id, present)) = found else {
            if self.users.len() >= MAX_USERS {
                return Err(Refusal::TooManyUsers.into());
            }
            let id = UserId(self.next_user.max(1));
            let name = UserName::parse(&copied.name)?;
            let user = User::new(user_type, name, copied.password.clone())
                .with_quorum_key(copied.quorum_key.clone());
            events.push(Event::UserCreated { id, user });
            return Ok(Inserted::Created(id));
        };
        let differences = named([
            (present.password != copied.password, Difference::Password),
            (present.quorum_key != copied.quorum_key, Difference::QuorumKey),
        ]);
        match op.existing {
            _ if differences.is_empty() => Ok(Inserted::Equal(id)),
            Existing::Compare => Ok(Inserted::Differs(id, differences)),
            Existing::Replace if self.has_session(id, None) => Err(Refusal::UserIsLoggedIn.into()),
            Existing::Replace => {
                events.push(Event::PasswordChanged { id, user_type, password: copied.password.clone() });
                events.push(Event::QuorumKeySet { id, key: copied.quorum_key.clone() });
                Ok(Inserted::Replaced(id))
            }
        }
    }

    /// The copied key with the users of this HSM, who are found by type and name.
    fn resolve(&self, copied: &CopiedKey) -> Result<Key, Refusal> {
        let find = |(user_type, name): &(UserType, String)| {
            self.find_user(*user_type, name).map(|(id, _)| id).map_err(|_| Refusal::MaskedOwnerMissing)
        };
        Ok(Key {
            attributes: copied.attributes.clone(),
            material: copied.material.clone(),
            owner: find(&copied.owner)?,
            shared_with: copied.shared_with.iter().map(find).collect::<Result<BTreeSet<_>, _>>()?,
            m_value: copied.m_value,
            approved: copied.approved,
        })
    }

    fn is_overseer(&self, caller: SessionId) -> bool {
        self.caller(caller).is_some_and(|(_, user)| matches!(user.user_type, UserType::Co | UserType::Au))
    }

    fn must_manage(&self, owner: UserId, caller: SessionId) -> Result<(), Refusal> {
        let (id, _) = self.caller(caller).ok_or(Refusal::NotLoggedIn)?;
        if id == owner || self.is_overseer(caller) { Ok(()) } else { Err(Refusal::KeyAccessDenied) }
    }
}

/// A CU must not undo by an older copy of its key what a CO decided about it, or what is decided for good.
fn keep_what_others_decide(key: &mut Key, present: Option<&Arc<Key>>) {
    key.m_value = present.map_or(key.m_value, |present| present.m_value.max(key.m_value));
    let present = present.map(|present| &present.attributes);
    key.attributes.trusted = present.is_some_and(|present| present.trusted);
    key.attributes.wrap_with_trusted |= present.is_some_and(|present| present.wrap_with_trusted);
}

/// A key that is there already: is it the same key, and in what does it differ?
fn replace_key(
    handle: KeyHandle,
    present: &Arc<Key>,
    key: Key,
    existing: Existing,
    events: &mut Vec<Event>,
) -> Result<Inserted<KeyHandle>, Refusal> {
    if present.material.fingerprint != key.material.fingerprint {
        return Err(Refusal::HandleTaken);
    }
    let differences = differences(present, &key);
    match existing {
        _ if differences.is_empty() => Ok(Inserted::Equal(handle)),
        Existing::Compare => Ok(Inserted::Differs(handle, differences)),
        Existing::Replace => {
            events.push(Event::KeyCreated { handle, key, session: None });
            Ok(Inserted::Replaced(handle))
        }
    }
}

fn differences(present: &Key, key: &Key) -> Vec<Difference> {
    named([
        (present.owner != key.owner, Difference::Owner),
        (present.shared_with != key.shared_with, Difference::Sharing),
        (present.attributes != key.attributes, Difference::Attributes),
        (present.m_value != key.m_value || present.approved != key.approved, Difference::MValue),
    ])
}

fn named<const COUNT: usize>(compared: [(bool, Difference); COUNT]) -> Vec<Difference> {
    compared.into_iter().filter_map(|(differs, difference)| differs.then_some(difference)).collect()
}

fn manageable(user_type: UserType) -> Result<UserType, Refusal> {
    match user_type {
        UserType::Co | UserType::Cu => Ok(user_type),
        UserType::Au | UserType::PreCo | UserType::Unknown => Err(Refusal::InvalidUserType),
    }
}

fn masked(copied: Copied, env: &Env<'_>) -> Result<MaskedObject, No> {
    match env.worked {
        Some(Worked::Masked(object)) => Ok(MaskedObject(object.clone())),
        _ => Err(No::Needs(Work::Mask(Box::new(copied)))),
    }
}

fn unmasked<'a>(object: &MaskedObject, env: &'a Env<'_>) -> Result<&'a Copied, No> {
    match env.worked {
        Some(Worked::Unmasked(Ok(copied))) => Ok(copied),
        Some(Worked::Unmasked(Err(refusal))) => Err((*refusal).into()),
        _ => Err(No::Needs(Work::Unmask(object.0.clone()))),
    }
}
