//! The rules for the attributes of keys.

use super::{Case, Decide, Decided, Event, Key, MAX_TEXT, Ruling};
use crate::protocol::Refusal;
use crate::protocol::attribute::{Attribute, Attributes, ReadAttributes, SetAttribute, SetBy, Value};
use crate::protocol::key::KeyHandle;

impl Decide for ReadAttributes {
    fn decide(&self, case: &Case<'_>) -> Ruling<Attributes> {
        Ok(Decided::read(case.usable_key(self.handle)?.attributes.clone()))
    }
}

impl Decide for SetAttribute {
    fn decide(&self, case: &Case<'_>) -> Ruling<()> {
        let key = match self.attribute.set_by() {
            SetBy::Officer => case.hsm.keys.get(self.handle)?,
            SetBy::Owner => case.own_key(self.handle)?,
            SetBy::Nobody => return Err(Refusal::AttributeReadOnly.into()),
        };
        let after = self.applied_to(&key.attributes).ok_or(Refusal::InvalidInput)?;
        let (handle, attribute, value) = (self.handle, self.attribute, self.value.clone());
        let becomes_token = after.token && !key.attributes.token;
        let is_about_trust = attribute == Attribute::Trusted && (key.attributes.trusted || after.trusted);
        let set = if becomes_token {
            // Whole, as a snapshot taken before does not have a session's key.
            Event::KeyCreated { handle, key: Key { attributes: after, ..Key::clone(key) }, session: None }
        } else {
            Event::AttributeSet { handle, attribute, value }
        };
        let guards = if is_about_trust { case.guards(key) } else { Vec::new() };
        Ok(Decided::new((), [set].into_iter().chain(guards).collect()))
    }
}

impl Case<'_> {
    /// What keeps a key that is trusted, or was until now, and all that decrypts alike, from giving away what it
    /// encrypts.
    fn guards(&self, trusted: &Key) -> Vec<Event> {
        let unguarded =
            |(_, key): &(KeyHandle, &Key)| key.is_twin_of(trusted) && !key.attributes.wrap_with_trusted;
        let guard = |(handle, _)| Event::AttributeSet {
            handle,
            attribute: Attribute::WrapWithTrusted,
            value: Value::Byte(1),
        };
        self.hsm.keys.all().filter(unguarded).map(guard).collect()
    }
}

impl SetAttribute {
    /// `None` if the attribute cannot have this value, or can no longer have it.
    fn applied_to(&self, before: &Attributes) -> Option<Attributes> {
        let is_too_long = matches!(&self.value, Value::Text(text) if text.len() > MAX_TEXT);
        let is_one_way = self.attribute == Attribute::Token
            || (self.attribute == Attribute::WrapWithTrusted && before.wrap_with_trusted);
        if is_too_long || (is_one_way && self.value == Value::Byte(0)) {
            return None;
        }
        let mut after = before.clone();
        after.set(self.attribute, &self.value)?;
        Some(after)
    }
}
