//! The rules for keys.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::{Env, Event, Hsm, Material, NewKey, No, SessionId, Work, Worked};
use crate::protocol::Refusal;
use crate::protocol::attribute::{Attribute, Attributes, SetBy, Value};
use crate::protocol::key::{
    DeleteKey, DescribeKey, FindKeys, GenerateKey, Hold, KeyClass, KeyDescription, KeyHandle, KeyList,
    KeySpec, KeyType, Lifetime, ListKeys, ReadAttributes, SetAttribute, ShareKey, Sharing, Sign, SignScheme,
    Signature,
};
use crate::protocol::user::{UserId, UserType};

/// How many keys an HSM holds.
pub const MAX_KEYS: usize = 16_666;

/// The index of an HSM's first key; the original keeps those before it for itself.
pub const FIRST_INDEX: u32 = 6;

/// The longest label or id, in bytes.
const MAX_TEXT: usize = 128;

/// The most users of a sharing list, and the highest quorum.
const MAX_SHARED: usize = 8;

/// A key's value, encrypted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrapped(pub Vec<u8>);

/// A key of an HSM.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// What it is and may do.
    pub attributes: Attributes,
    /// Its value.
    pub material: Material,
    /// The CU that made it.
    pub owner: UserId,
    /// The CUs that may use it, too.
    pub shared_with: BTreeSet<UserId>,
    /// How many users have to approve its use; 0 and 1 are off.
    pub m_value: u8,
    /// How many changes they have approved: an older copy has fewer.
    pub approved: u32,
}

impl Key {
    fn is_usable_by(&self, user: UserId) -> bool {
        self.attributes.class == KeyClass::Public || self.is_held_by(user)
    }

    /// Whether the user owns it or shares it.
    pub(super) fn is_held_by(&self, user: UserId) -> bool {
        self.owner == user || self.shared_with.contains(&user)
    }
}

impl Hsm {
    pub(super) fn generate_key(
        &self,
        op: &GenerateKey,
        caller: SessionId,
        env: &Env<'_>,
        events: &mut Vec<Event>,
    ) -> Result<Vec<KeyHandle>, No> {
        let (owner, _) = self.caller(caller).ok_or(Refusal::NotLoggedIn)?;
        let count = self.check_template(op, owner)?;
        let new = match env.worked {
            Some(Worked::Generated(new)) if new.len() == count => new,
            _ => return Err(No::Needs(Work::Generate(op.spec))),
        };
        let handles = self.keys.handles(self.identity.node_id, count)?;
        let session = Some(caller).filter(|_| op.lifetime == Lifetime::Session);
        for (handle, new) in handles.iter().zip(new) {
            events.push(Event::KeyCreated { handle: *handle, key: finish(new, op, owner), session });
        }
        Ok(handles)
    }

    pub(super) fn delete_key(
        &self,
        op: &DeleteKey,
        caller: SessionId,
        events: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        let key = self.own_key(op.handle, caller)?;
        if !key.attributes.destroyable {
            return Err(Refusal::KeyNotDestroyable);
        }
        events.push(Event::KeyDeleted(op.handle));
        Ok(())
    }

    pub(super) fn find_keys(&self, op: &FindKeys, caller: SessionId) -> Result<Vec<KeyHandle>, Refusal> {
        let (user, _) = self.caller(caller).ok_or(Refusal::NotLoggedIn)?;
        let usable = self.keys.all().filter(|(_, key)| key.is_usable_by(user));
        Ok(usable.filter(|(_, key)| matches(op, key)).map(|(handle, _)| handle).collect())
    }

    pub(super) fn describe_key(
        &self,
        op: &DescribeKey,
        caller: SessionId,
    ) -> Result<KeyDescription, Refusal> {
        let key = self.usable_key(op.handle, caller)?;
        Ok(KeyDescription {
            owner: key.owner,
            shared_with: key.shared_with.iter().copied().collect(),
            lifetime: if key.attributes.token { Lifetime::Token } else { Lifetime::Session },
            m_value: key.m_value,
        })
    }

    pub(super) fn read_attributes(
        &self,
        op: &ReadAttributes,
        caller: SessionId,
    ) -> Result<Attributes, Refusal> {
        Ok(self.usable_key(op.handle, caller)?.attributes.clone())
    }

    pub(super) fn set_attribute(
        &self,
        op: &SetAttribute,
        caller: SessionId,
        events: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        let key = match op.attribute.set_by() {
            SetBy::Officer => self.keys.get(op.handle)?,
            SetBy::Owner => self.own_key(op.handle, caller)?,
            SetBy::Nobody => return Err(Refusal::AttributeReadOnly),
        };
        let is_too_long = matches!(&op.value, Value::Text(text) if text.len() > MAX_TEXT);
        let is_one_way = op.attribute == Attribute::Token
            || (op.attribute == Attribute::WrapWithTrusted && key.attributes.wrap_with_trusted);
        let mut after = key.attributes.clone();
        if is_too_long
            || (is_one_way && op.value == Value::Byte(0))
            || after.set(op.attribute, &op.value).is_none()
        {
            return Err(Refusal::InvalidInput);
        }
        let (handle, attribute, value) = (op.handle, op.attribute, op.value.clone());
        let becomes_token = after.token && !key.attributes.token;
        events.push(if becomes_token {
            // Whole: a snapshot that was taken before does not have it.
            Event::KeyCreated { handle, key: Key { attributes: after, ..Key::clone(key) }, session: None }
        } else {
            Event::AttributeSet { handle, attribute, value }
        });
        Ok(())
    }

    pub(super) fn share_key(
        &self,
        op: &ShareKey,
        caller: SessionId,
        events: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        let key = self.own_key(op.handle, caller)?;
        let is_public = key.attributes.class == KeyClass::Public;
        let after = match op.sharing {
            Sharing::Share => key.shared_with.iter().chain(&op.users).collect::<BTreeSet<_>>().len(),
            Sharing::Unshare if op.users.iter().all(|user| key.shared_with.contains(user)) => 0,
            Sharing::Unshare => return Err(Refusal::InvalidInput),
        };
        if is_public || !key.attributes.token || op.users.is_empty() || after > MAX_SHARED {
            return Err(Refusal::InvalidInput);
        }
        self.must_be_others(&op.users, key.owner)?;
        events.push(Event::KeyShared { handle: op.handle, users: op.users.clone(), sharing: op.sharing });
        Ok(())
    }

    pub(super) fn sign(&self, op: &Sign, caller: SessionId, env: &Env<'_>) -> Result<Signature, No> {
        let key = self.usable_key(op.handle, caller)?;
        let scheme_fits = match op.mechanism.scheme {
            SignScheme::RsaPkcs | SignScheme::RsaPss => key.attributes.key_type == KeyType::Rsa,
            SignScheme::Ecdsa => key.attributes.key_type == KeyType::Ec,
        };
        let is_private = key.attributes.class == KeyClass::Private;
        if !is_private || !key.attributes.sign || !scheme_fits {
            return Err(Refusal::KeyUnfit.into());
        }
        if op.hash.len() != op.mechanism.hash.bytes() {
            return Err(Refusal::InvalidInput.into());
        }
        match env.worked {
            Some(Worked::Signed(signed)) => Ok(signed.clone().map(Signature)?),
            _ => {
                let (key, mechanism, hash) = (key.material.clone(), op.mechanism, op.hash.clone());
                Err(No::Needs(Work::Sign { key, mechanism, hash }))
            }
        }
    }

    pub(super) fn list_keys(&self, op: &ListKeys) -> Result<KeyList, Refusal> {
        if let Some(user) = op.user
            && !self.users.contains_key(&user)
        {
            return Err(Refusal::NoSuchUser);
        }
        let hold = |key: &Key| match op.user {
            None => Some(None),
            Some(user) if key.owner == user => Some(Some(Hold::Owned)),
            Some(user) if key.shared_with.contains(&user) => Some(Some(Hold::Shared)),
            Some(_) => None,
        };
        let keys: Vec<_> =
            self.keys.tokens().filter_map(|(handle, key)| Some((*handle, hold(key)?))).collect();
        let hash = (op.hash && !keys.is_empty()).then(|| self.key_hash());
        Ok(KeyList { keys, hash })
    }

    /// The key of a user who may use it.
    pub(super) fn usable_key(&self, handle: KeyHandle, caller: SessionId) -> Result<&Key, Refusal> {
        let (user, _) = self.caller(caller).ok_or(Refusal::NotLoggedIn)?;
        let key = self.keys.get(handle)?;
        if key.is_usable_by(user) { Ok(key) } else { Err(Refusal::KeyAccessDenied) }
    }

    /// The key of a user who owns it.
    pub(super) fn own_key(&self, handle: KeyHandle, caller: SessionId) -> Result<&Arc<Key>, Refusal> {
        let (user, _) = self.caller(caller).ok_or(Refusal::NotLoggedIn)?;
        let key = self.keys.get(handle)?;
        if key.owner == user { Ok(key) } else { Err(Refusal::KeyAccessDenied) }
    }

    /// How many keys the request makes, if it is one that can be granted.
    fn check_template(&self, op: &GenerateKey, owner: UserId) -> Result<usize, Refusal> {
        let count = match op.spec {
            KeySpec::Aes { bytes: 16 | 24 | 32 } | KeySpec::TripleDes => 1,
            KeySpec::GenericSecret { bytes: 1..=3584 } => 1,
            KeySpec::Rsa { bits: 2048 | 3072 | 4096 } | KeySpec::Ec(_) => 2,
            KeySpec::Aes { .. } | KeySpec::GenericSecret { .. } | KeySpec::Rsa { .. } => {
                return Err(Refusal::PolicyViolation);
            }
        };
        let users: BTreeSet<_> = op.shared_with.iter().collect();
        let is_session = op.lifetime == Lifetime::Session;
        let approvers = users.len().saturating_add(1);
        if op.label.len() > MAX_TEXT
            || op.id.len() > MAX_TEXT
            || users.len() > MAX_SHARED
            || (is_session && !users.is_empty())
            || usize::from(op.m_value) > MAX_SHARED
            || (op.m_value > 1 && usize::from(op.m_value) > approvers)
        {
            return Err(Refusal::InvalidInput);
        }
        // A pair shares its id; two keys made apart do not.
        if !op.id.is_empty() && self.keys.all().any(|(_, key)| key.attributes.id == op.id) {
            return Err(Refusal::InvalidInput);
        }
        self.must_be_others(&op.shared_with, owner)?;
        if self.keys.len().saturating_add(count) > MAX_KEYS {
            return Err(Refusal::TooManyKeys);
        }
        Ok(count)
    }

    /// Keys are shared with CUs who do not own them.
    fn must_be_others(&self, users: &[UserId], owner: UserId) -> Result<(), Refusal> {
        let is_other = |user: &UserId| {
            *user != owner && self.users.get(user).is_some_and(|user| user.user_type == UserType::Cu)
        };
        if users.iter().all(is_other) { Ok(()) } else { Err(Refusal::InvalidInput) }
    }

    /// A hash of every token key with its owner and sharers, by name: the same on equal HSMs.
    fn key_hash(&self) -> [u8; 32] {
        let name = |id: &UserId| {
            let user = self.users.get(id);
            user.map(|user| format!("{}:{}", user.user_type, user.name.folded())).unwrap_or_default()
        };
        let mut context = Context::new(&SHA256);
        for (handle, key) in self.keys.tokens() {
            let mut sharers: Vec<String> = key.shared_with.iter().map(name).collect();
            sharers.sort();
            context.update(&handle.0.to_be_bytes());
            context.update(&key.material.fingerprint);
            context
                .update(format!("{};{};{}\n", name(&key.owner), sharers.join(","), key.m_value).as_bytes());
        }
        <[u8; 32]>::try_from(context.finish().as_ref()).unwrap_or_default()
    }
}

fn finish(new: &NewKey, op: &GenerateKey, owner: UserId) -> Key {
    let is_public = new.attributes.class == KeyClass::Public;
    let attributes = Attributes {
        token: op.lifetime == Lifetime::Token,
        label: op.label.clone(),
        id: op.id.clone(),
        extractable: op.extractable || is_public,
        never_extractable: !op.extractable && !is_public,
        ..new.attributes.clone()
    };
    let (shared_with, m_value) =
        if is_public { (BTreeSet::new(), 0) } else { (op.shared_with.iter().copied().collect(), op.m_value) };
    Key { attributes, material: new.material.clone(), owner, shared_with, m_value, approved: 0 }
}

fn matches(op: &FindKeys, key: &Key) -> bool {
    let attributes = &key.attributes;
    let lifetime = if attributes.token { Lifetime::Token } else { Lifetime::Session };
    op.class.is_none_or(|class| class == attributes.class)
        && op.key_type.is_none_or(|key_type| key_type == attributes.key_type)
        && op.label.as_ref().is_none_or(|label| *label == attributes.label)
        && op.id.as_ref().is_none_or(|id| *id == attributes.id)
        && op.lifetime.is_none_or(|wanted| wanted == lifetime)
        && op.users.iter().all(|user| key.is_usable_by(*user))
        && op.modulus.as_ref().is_none_or(|modulus| Some(modulus) == attributes.modulus.as_ref())
        && op.kcv.as_ref().is_none_or(|kcv| attributes.kcv.is_some_and(|own| own == kcv.as_slice()))
}
