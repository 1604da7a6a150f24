//! The rules for what the maker of a key says of it, the same for generated, unwrapped and imported keys.

use std::collections::BTreeSet;

use super::{Case, Decided, Event, Hsm, Key, MAX_KEYS, MAX_SHARED, MAX_TEXT, NewKey, Prints, Ruling};
use crate::protocol::Refusal;
use crate::protocol::attribute::Attributes;
use crate::protocol::key::{KeyClass, KeyHandle, Lifetime, Template};
use crate::protocol::user::{UserId, UserType};

impl Case<'_> {
    /// Refuses a template for so many new keys of the caller.
    pub(super) fn check(&self, template: &Template, count: usize) -> Result<(), Refusal> {
        let (owner, _) = self.user()?;
        let users: BTreeSet<_> = template.shared_with.iter().collect();
        let is_session = template.lifetime == Lifetime::Session;
        let approvers = users.len().saturating_add(1);
        if template.label.len() > MAX_TEXT
            || template.id.len() > MAX_TEXT
            || users.len() > MAX_SHARED
            || (is_session && !users.is_empty())
            || usize::from(template.m_value) > MAX_SHARED
            || usize::from(template.m_value) > approvers
        {
            return Err(Refusal::InvalidInput);
        }
        // The two halves of a pair share their id; keys made apart must not.
        if !template.id.is_empty() && self.hsm.keys.all().any(|(_, key)| key.attributes.id == template.id) {
            return Err(Refusal::InvalidInput);
        }
        self.hsm.must_be_others(&template.shared_with, owner)?;
        if self.hsm.keys.len().saturating_add(count) > MAX_KEYS {
            return Err(Refusal::TooManyKeys);
        }
        Ok(())
    }

    /// Gives new keys to the caller: of a pair, the public half first.
    pub(super) fn create(&self, template: &Template, new: &[NewKey]) -> Ruling<Vec<KeyHandle>> {
        let (owner, _) = self.user()?;
        let handles = self.hsm.keys.handles(self.hsm.identity.node_id, new.len())?;
        let session = Some(self.caller).filter(|_| template.lifetime == Lifetime::Session);
        let made = |(handle, new): (&KeyHandle, &NewKey)| Event::KeyCreated {
            handle: *handle,
            key: finish(new, template, owner),
            session,
        };
        let events = handles.iter().zip(new).map(made).collect();
        let first = handles.first().copied();
        Ok(Decided { key: first, ..Decided::new(handles, events) })
    }

    /// Gives the caller a key that was outside the HSM: it may be known there, whatever becomes of it here.
    pub(super) fn take_in(&self, template: &Template, new: NewKey) -> Ruling<KeyHandle> {
        let attributes = Attributes { local: false, always_sensitive: false, ..new.attributes };
        let created = self.create(template, &[NewKey { attributes, ..new }])?;
        let handle = created.key.ok_or(Refusal::TooManyKeys)?;
        Ok(Decided { key: created.key, ..Decided::new(handle, created.events) })
    }
}

impl Hsm {
    /// Refuses to share a key with its owner, or with users other than CUs.
    pub(super) fn must_be_others(&self, users: &[UserId], owner: UserId) -> Result<(), Refusal> {
        let is_other = |user: &UserId| {
            *user != owner && self.users.get(user).is_some_and(|user| user.user_type == UserType::Cu)
        };
        if users.iter().all(is_other) { Ok(()) } else { Err(Refusal::InvalidInput) }
    }
}

/// The key that the owner asked for; the public half of a pair is nobody's to share, and anybody's to use.
fn finish(new: &NewKey, template: &Template, owner: UserId) -> Key {
    let is_public = new.attributes.class == KeyClass::Public;
    let attributes = Attributes {
        token: template.lifetime == Lifetime::Token,
        label: template.label.clone(),
        id: template.id.clone(),
        extractable: template.extractable || is_public,
        never_extractable: !template.extractable && !is_public && new.attributes.local,
        ..new.attributes.clone()
    };
    let (shared_with, m_value) = if is_public {
        (BTreeSet::new(), 0)
    } else {
        (template.shared_with.iter().copied().collect(), template.m_value)
    };
    let (material, prints) = (new.material.clone(), Prints::default());
    Key { attributes, material, owner, shared_with, m_value, approved: 0, prints }
}
