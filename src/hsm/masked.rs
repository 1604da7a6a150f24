//! The rules for copies: what may leave the HSM, and what may come in.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::user::must_be_manageable;
use super::{
    Case, Copied, CopiedKey, CopiedUser, Decide, Decided, Env, Event, Hsm, Key, MAX_KEYS, No, Prints,
};
use super::{Part, Ruling, User, UserName, Work, Worked};
use crate::protocol::Refusal;
use crate::protocol::key::KeyHandle;
use crate::protocol::masked::{
    Difference, Existing, ExtractKey, ExtractKeys, ExtractUser, InsertKey, InsertKeys, InsertUser, Inserted,
    KeyCopy, MAX_BATCH, MaskedObject, Place, Rows,
};
use crate::protocol::user::{UserId, UserType};

/// A CU copies its own keys, a CO and the AU any.
impl Decide for ExtractKey {
    fn decide(&self, case: &Case<'_>) -> Ruling<MaskedObject> {
        masked(Copied::Key(case.copied(self.handle)?), case.env)
    }
}

impl Decide for ExtractKeys {
    fn decide(&self, case: &Case<'_>) -> Ruling<Rows<MaskedObject>> {
        if self.handles.len() > MAX_BATCH {
            return Err(Refusal::InvalidInput.into());
        }
        let allowed: Rows<KeyHandle> =
            self.handles.iter().map(|handle| case.copyable(*handle).map(|_| *handle)).collect();
        let masked = match case.env.worked {
            Some(Worked::MaskedAll(masked))
                if allowed.iter().flatten().eq(masked.iter().map(|(of, _)| of)) =>
            {
                masked
            }
            // Nothing was encrypted yet, or other keys: one was deleted meanwhile.
            _ => {
                let copied = allowed.iter().flatten().map(|handle| case.copied(*handle));
                return Err(No::Needs(Work::MaskAll(copied.collect::<Result<_, _>>()?)));
            }
        };
        let mut masked = masked.iter().map(|(_, object)| object.clone().ok_or(Refusal::OutOfResources));
        let next = |handle: Result<_, Refusal>| {
            let object = handle.and_then(|_| masked.next().unwrap_or(Err(Refusal::OutOfResources)));
            object.map(MaskedObject)
        };
        let rows: Rows<_> = allowed.into_iter().map(next).collect();
        let part = |(handle, row): (&KeyHandle, &Result<_, Refusal>)| Part {
            key: Some(*handle),
            refusal: row.as_ref().err().copied(),
        };
        let parts = self.handles.iter().zip(&rows).map(part).collect();
        Ok(Decided { batch: Some(parts), ..Decided::read(rows) })
    }
}

impl Decide for ExtractUser {
    fn decide(&self, case: &Case<'_>) -> Ruling<MaskedObject> {
        let user = case.hsm.users.get(&self.id).ok_or(Refusal::NoSuchUser)?;
        must_be_manageable(user.user_type)?;
        let copied = CopiedUser {
            user_type: user.user_type,
            name: user.name.as_str().to_owned(),
            password: user.password.clone(),
            quorum_key: user.quorum_key.clone(),
        };
        masked(Copied::User(copied), case.env)
    }
}

impl Decide for InsertKey {
    fn decide(&self, case: &Case<'_>) -> Ruling<Inserted<KeyHandle>> {
        let copied = match unmasked(&self.object, case.env)? {
            Copied::Key(copied) => copied,
            Copied::User(_) => return Err(Refusal::MaskedObjectInvalid.into()),
        };
        let (inserted, event) = case.inserted(copied, self.place, self.existing)?;
        let handle = *inserted.id();
        Ok(Decided { key: Some(handle), ..Decided::new(inserted, event.into_iter().collect()) })
    }
}

impl Decide for InsertKeys {
    fn decide(&self, case: &Case<'_>) -> Ruling<Rows<Inserted<KeyHandle>>> {
        let unmasked = match case.env.worked {
            Some(Worked::UnmaskedAll(unmasked)) => unmasked,
            _ => {
                let objects = self.copies.iter().map(|copy| copy.object.0.clone()).collect();
                return Err(No::Needs(Work::UnmaskAll(objects)));
            }
        };
        // Each is decided as if those before it were in: the HSM may be full after one of them.
        let (mut hsm, mut rows, mut events, mut parts) =
            (case.hsm.clone(), Rows::new(), Vec::new(), Vec::new());
        for (KeyCopy { existing, .. }, copied) in self.copies.iter().zip(unmasked) {
            let row = match copied {
                Ok(Copied::Key(copied)) => {
                    Case { hsm: &hsm, ..*case }.inserted(copied, Place::SameHandle, *existing)
                }
                Ok(Copied::User(_)) => Err(Refusal::MaskedObjectInvalid),
                Err(refusal) => Err(*refusal),
            };
            let named = copied.as_ref().ok().and_then(Copied::handle);
            parts.push(Part { key: named, refusal: row.as_ref().err().copied() });
            rows.push(row.map(|(inserted, event)| {
                event.iter().for_each(|event| hsm.apply(event));
                events.extend(event);
                inserted
            }));
        }
        Ok(Decided { batch: Some(parts), ..Decided::new(rows, events) })
    }
}

impl Decide for InsertUser {
    fn decide(&self, case: &Case<'_>) -> Ruling<Inserted<UserId>> {
        let copied = match unmasked(&self.object, case.env)? {
            Copied::User(copied) => copied,
            Copied::Key(_) => return Err(Refusal::MaskedObjectInvalid.into()),
        };
        let CopiedUser { user_type, name, password, quorum_key } = copied.clone();
        must_be_manageable(user_type)?;
        let found = case.hsm.find_user(user_type, &name);
        case.hsm.must_have_no_others_key(found.ok().map(|(id, _)| id), quorum_key.as_ref())?;
        let Ok((id, present)) = found else {
            let id = case.hsm.free_user_id()?;
            let user = User::new(user_type, UserName::parse(&name)?, password).with_quorum_key(quorum_key);
            return Ok(Decided::new(Inserted::Created(id), vec![Event::UserCreated { id, user }]));
        };
        let differences = named([
            (present.password != password, Difference::Password),
            (present.quorum_key != quorum_key, Difference::QuorumKey),
        ]);
        match self.existing {
            _ if differences.is_empty() => Ok(Decided::read(Inserted::Equal(id))),
            Existing::Compare => Ok(Decided::read(Inserted::Differs(id, differences))),
            Existing::Replace if case.hsm.has_session(id, None) => Err(Refusal::UserIsLoggedIn.into()),
            Existing::Replace => {
                let events = vec![
                    Event::PasswordChanged { id, user_type, password },
                    Event::QuorumKeySet { id, key: quorum_key },
                ];
                Ok(Decided::new(Inserted::Replaced(id), events))
            }
        }
    }
}

impl Case<'_> {
    /// The key with all that belongs to it, if the caller may copy it.
    fn copied(&self, handle: KeyHandle) -> Result<CopiedKey, Refusal> {
        self.hsm.copied(handle, self.copyable(handle)?)
    }

    /// The key, if the caller may copy it.
    fn copyable(&self, handle: KeyHandle) -> Result<&Arc<Key>, Refusal> {
        let key = self.hsm.keys.token(handle)?;
        self.must_manage(key.owner)?;
        let mut users = [&key.owner].into_iter().chain(&key.shared_with);
        let are_there = users.all(|user| self.hsm.users.contains_key(user));
        if are_there { Ok(key) } else { Err(Refusal::NoSuchUser) }
    }

    /// What becomes of a copy, and the event that does it.
    fn inserted(
        &self,
        copied: &CopiedKey,
        place: Place,
        existing: Existing,
    ) -> Result<(Inserted<KeyHandle>, Option<Event>), Refusal> {
        let mut key = self.hsm.resolve(copied)?;
        self.must_manage(key.owner)?;
        if key.m_value > 1 && key.approved < self.hsm.keys.approved(&key.material.fingerprint) {
            return Err(Refusal::CopyIsOlder);
        }
        let handle = match place {
            Place::SameHandle => copied.handle,
            Place::NewHandle => {
                let free = self.hsm.keys.handles(self.hsm.identity.node_id, 1)?;
                free.first().copied().ok_or(Refusal::TooManyKeys)?
            }
        };
        let present = self.hsm.keys.get(handle).ok();
        if !self.is_overseer() {
            key.attributes.wrap_with_trusted |= self.hsm.keys.must_guard(&key);
            keep_what_others_decide(&mut key, present);
        }
        let inserted = match present {
            Some(present) => {
                // A CU may own the copy, but not what is here.
                self.must_manage(present.owner)?;
                compared(handle, present, &key, existing)?
            }
            None if self.hsm.keys.len() >= MAX_KEYS => return Err(Refusal::TooManyKeys),
            None => Inserted::Created(handle),
        };
        let event = match inserted {
            Inserted::Created(_) | Inserted::Replaced(_) => {
                Some(Event::KeyCreated { handle, key, session: None })
            }
            Inserted::Equal(_) | Inserted::Differs(..) => None,
        };
        Ok((inserted, event))
    }

    pub(super) fn is_overseer(&self) -> bool {
        self.user().is_ok_and(|(_, user)| matches!(user.user_type, UserType::Co | UserType::Au))
    }

    fn must_manage(&self, owner: UserId) -> Result<(), Refusal> {
        let (id, _) = self.user()?;
        if id == owner || self.is_overseer() { Ok(()) } else { Err(Refusal::KeyAccessDenied) }
    }
}

impl Copied {
    fn handle(&self) -> Option<KeyHandle> {
        match self {
            Self::Key(key) => Some(key.handle),
            Self::User(_) => None,
        }
    }
}

impl Hsm {
    /// The key with the names of its users, as their numbers differ from HSM to HSM.
    pub(super) fn copied(&self, handle: KeyHandle, key: &Key) -> Result<CopiedKey, Refusal> {
        let name = |id: &UserId| {
            let user = self.users.get(id).ok_or(Refusal::NoSuchUser)?;
            Ok((user.user_type, user.name.as_str().to_owned()))
        };
        Ok(CopiedKey {
            handle,
            attributes: key.attributes.clone(),
            material: key.material.clone(),
            owner: name(&key.owner)?,
            shared_with: key.shared_with.iter().map(name).collect::<Result<_, Refusal>>()?,
            m_value: key.m_value,
            approved: key.approved,
        })
    }

    /// The copied key with the numbers of this HSM's users, who are found by type and name.
    pub(super) fn resolve(&self, copied: &CopiedKey) -> Result<Key, Refusal> {
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
            prints: Prints::default(),
        })
    }
}

/// A CU must not use an older copy of its key to undo what a CO has decided about it, or what is decided for good.
fn keep_what_others_decide(key: &mut Key, present: Option<&Arc<Key>>) {
    key.m_value = present.map_or(key.m_value, |present| present.m_value.max(key.m_value));
    key.attributes.trusted = present.is_some_and(|present| present.attributes.trusted);
}

/// What becomes of a copy whose handle is in use, if it is a copy of the same key.
fn compared(
    handle: KeyHandle,
    present: &Key,
    key: &Key,
    existing: Existing,
) -> Result<Inserted<KeyHandle>, Refusal> {
    if present.material.fingerprint != key.material.fingerprint {
        return Err(Refusal::HandleTaken);
    }
    let differences = differences(present, key);
    Ok(match existing {
        _ if differences.is_empty() => Inserted::Equal(handle),
        Existing::Compare => Inserted::Differs(handle, differences),
        Existing::Replace => Inserted::Replaced(handle),
    })
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

fn masked(copied: Copied, env: &Env<'_>) -> Ruling<MaskedObject> {
    match env.worked {
        Some(Worked::Masked(object)) => Ok(Decided::read(MaskedObject(object.clone()))),
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
