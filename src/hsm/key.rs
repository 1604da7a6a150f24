//! The rules for keys.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::hash::sha256;
use super::{Case, Decide, Decided, Event, Hsm, Material, NewKey, No, Ruling, Work, Worked};
use crate::protocol::Refusal;
use crate::protocol::attribute::Attributes;
use crate::protocol::key::{
    DeleteKey, DescribeKey, FindKeys, GenerateKey, Hold, KeyClass, KeyDescription, KeyHandle, KeyList,
    KeySpec, KeyType, Lifetime, ListKeys, ShareKey, Sharing, Sign, SignScheme, Signature,
};
use crate::protocol::user::{UserId, UserType};

/// How many keys an HSM holds.
pub const MAX_KEYS: usize = 16_666;

/// The index of an HSM's first key; the original reserves those before it.
pub const FIRST_INDEX: u32 = 6;

/// The longest label or id, in bytes.
pub(super) const MAX_TEXT: usize = 128;

/// The most users that a key is shared with, and its highest M value.
const MAX_SHARED: usize = 8;

/// A key's value, encrypted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrapped(pub Vec<u8>);

/// A key of an HSM.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// What it is and may do.
    pub attributes: Attributes,
    /// Its value, encrypted.
    pub material: Material,
    /// The CU who made it.
    pub owner: UserId,
    /// The other CUs who may use it.
    pub shared_with: BTreeSet<UserId>,
    /// How many users have to approve its use; 0 and 1 mean no approval.
    pub m_value: u8,
    /// How many changes of it were approved. An older copy has fewer: it must not bring back what they ended.
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

    fn lifetime(&self) -> Lifetime {
        if self.attributes.token { Lifetime::Token } else { Lifetime::Session }
    }
}

impl Decide for GenerateKey {
    fn decide(&self, case: &Case<'_>) -> Ruling<Vec<KeyHandle>> {
        let (owner, _) = case.user()?;
        let count = case.hsm.check_template(self, owner)?;
        let new = match case.env.worked {
            Some(Worked::Generated(new)) if new.len() == count => new,
            _ => return Err(No::Needs(Work::Generate(self.spec))),
        };
        let handles = case.hsm.keys.handles(case.hsm.identity.node_id, count)?;
        let session = Some(case.caller).filter(|_| self.lifetime == Lifetime::Session);
        let made = |(handle, new): (&KeyHandle, &NewKey)| Event::KeyCreated {
            handle: *handle,
            key: finish(new, self, owner),
            session,
        };
        let events = handles.iter().zip(new).map(made).collect();
        let first = handles.first().copied();
        Ok(Decided { key: first, ..Decided::new(handles, events) })
    }
}

impl Decide for DeleteKey {
    fn decide(&self, case: &Case<'_>) -> Ruling<()> {
        if !case.own_key(self.handle)?.attributes.destroyable {
            return Err(Refusal::KeyNotDestroyable.into());
        }
        Ok(Decided::done(Event::KeyDeleted(self.handle)))
    }
}

impl Decide for FindKeys {
    fn decide(&self, case: &Case<'_>) -> Ruling<Vec<KeyHandle>> {
        let (user, _) = case.user()?;
        let usable = case.hsm.keys.all().filter(|(_, key)| key.is_usable_by(user));
        Ok(Decided::read(usable.filter(|(_, key)| matches(self, key)).map(|(handle, _)| handle).collect()))
    }
}

impl Decide for DescribeKey {
    fn decide(&self, case: &Case<'_>) -> Ruling<KeyDescription> {
        let key = case.usable_key(self.handle)?;
        Ok(Decided::read(KeyDescription {
            owner: key.owner,
            shared_with: key.shared_with.iter().copied().collect(),
            lifetime: key.lifetime(),
            m_value: key.m_value,
        }))
    }
}

impl Decide for ShareKey {
    fn decide(&self, case: &Case<'_>) -> Ruling<()> {
        let key = case.own_key(self.handle)?;
        let is_public = key.attributes.class == KeyClass::Public;
        let after = match self.sharing {
            Sharing::Share => key.shared_with.iter().chain(&self.users).collect::<BTreeSet<_>>().len(),
            Sharing::Unshare if self.users.iter().all(|user| key.shared_with.contains(user)) => 0,
            Sharing::Unshare => return Err(Refusal::InvalidInput.into()),
        };
        if is_public || !key.attributes.token || self.users.is_empty() || after > MAX_SHARED {
            return Err(Refusal::InvalidInput.into());
        }
        case.hsm.must_be_others(&self.users, key.owner)?;
        let (handle, users, sharing) = (self.handle, self.users.clone(), self.sharing);
        Ok(Decided::done(Event::KeyShared { handle, users, sharing }))
    }
}

impl Decide for Sign {
    fn decide(&self, case: &Case<'_>) -> Ruling<Signature> {
        let key = case.usable_key(self.handle)?;
        let scheme_fits = match self.mechanism.scheme {
            SignScheme::RsaPkcs | SignScheme::RsaPss => key.attributes.key_type == KeyType::Rsa,
            SignScheme::Ecdsa => key.attributes.key_type == KeyType::Ec,
            SignScheme::Dsa => key.attributes.key_type == KeyType::Dsa,
        };
        let is_private = key.attributes.class == KeyClass::Private;
        if !is_private || !key.attributes.sign || !scheme_fits {
            return Err(Refusal::KeyUnfit.into());
        }
        if self.hash.len() != self.mechanism.hash.bytes() {
            return Err(Refusal::InvalidInput.into());
        }
        match case.env.worked {
            Some(Worked::Signed(signed)) => Ok(Decided::read(signed.clone().map(Signature)?)),
            _ => {
                let (key, mechanism, hash) = (key.material.clone(), self.mechanism, self.hash.clone());
                Err(No::Needs(Work::Sign { key, mechanism, hash }))
            }
        }
    }
}

impl Decide for ListKeys {
    fn decide(&self, case: &Case<'_>) -> Ruling<KeyList> {
        if let Some(user) = self.user
            && !case.hsm.users.contains_key(&user)
        {
            return Err(Refusal::NoSuchUser.into());
        }
        let hold = |key: &Key| match self.user {
            None => Some(None),
            Some(user) if key.owner == user => Some(Some(Hold::Owned)),
            Some(user) if key.shared_with.contains(&user) => Some(Some(Hold::Shared)),
            Some(_) => None,
        };
        let keys: Vec<_> =
            case.hsm.keys.tokens().filter_map(|(handle, key)| Some((*handle, hold(key)?))).collect();
        let hash = (self.hash && !keys.is_empty()).then(|| case.hsm.key_hash());
        Ok(Decided::read(KeyList { keys, hash }))
    }
}

impl Case<'_> {
    /// The key, if the caller may use it.
    pub(super) fn usable_key(&self, handle: KeyHandle) -> Result<&Arc<Key>, Refusal> {
        let (user, _) = self.user()?;
        let key = self.hsm.keys.get(handle)?;
        if key.is_usable_by(user) { Ok(key) } else { Err(Refusal::KeyAccessDenied) }
    }

    /// The key, if the caller owns it.
    pub(super) fn own_key(&self, handle: KeyHandle) -> Result<&Arc<Key>, Refusal> {
        let (user, _) = self.user()?;
        let key = self.hsm.keys.get(handle)?;
        if key.owner == user { Ok(key) } else { Err(Refusal::KeyAccessDenied) }
    }
}

impl Hsm {
    /// How many keys the request makes, if it can be granted.
    fn check_template(&self, op: &GenerateKey, owner: UserId) -> Result<usize, Refusal> {
        let count = match op.spec {
            KeySpec::Aes { bytes: 16 | 24 | 32 } | KeySpec::TripleDes => 1,
            KeySpec::GenericSecret { bytes: 1..=3584 } => 1,
            KeySpec::Rsa { bits: 2048 | 3072 | 4096 } | KeySpec::Ec(_) => 2,
            KeySpec::Aes { .. }
            | KeySpec::GenericSecret { .. }
            | KeySpec::Rsa { .. }
            | KeySpec::RsaWithExponent { .. }
            | KeySpec::Dsa { .. } => {
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
        // The two halves of a pair share their id; keys made apart must not.
        if !op.id.is_empty() && self.keys.all().any(|(_, key)| key.attributes.id == op.id) {
            return Err(Refusal::InvalidInput);
        }
        self.must_be_others(&op.shared_with, owner)?;
        if self.keys.len().saturating_add(count) > MAX_KEYS {
            return Err(Refusal::TooManyKeys);
        }
        Ok(count)
    }

    /// Refuses to share a key with its owner, or with users other than CUs.
    fn must_be_others(&self, users: &[UserId], owner: UserId) -> Result<(), Refusal> {
        let is_other = |user: &UserId| {
            *user != owner && self.users.get(user).is_some_and(|user| user.user_type == UserType::Cu)
        };
        if users.iter().all(is_other) { Ok(()) } else { Err(Refusal::InvalidInput) }
    }

    /// A hash of every token key with its owner and sharers: the same on equal HSMs. Users go in by name, as their
    /// numbers differ from HSM to HSM.
    fn key_hash(&self) -> [u8; 32] {
        let name = |id: &UserId| {
            let user = self.users.get(id);
            user.map(|user| format!("{}:{}", user.user_type, user.name.folded())).unwrap_or_default()
        };
        let mut hashed = Vec::new();
        for (handle, key) in self.keys.tokens() {
            let mut sharers: Vec<String> = key.shared_with.iter().map(name).collect();
            sharers.sort();
            hashed.extend(handle.0.to_be_bytes());
            hashed.extend(key.material.fingerprint);
            hashed.extend(format!("{};{};{}\n", name(&key.owner), sharers.join(","), key.m_value).as_bytes());
        }
        sha256(&hashed)
    }
}

/// The key that the owner asked for; the public half of a pair is nobody's to share, and anybody's to use.
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
    op.class.is_none_or(|class| class == attributes.class)
        && op.key_type.is_none_or(|key_type| key_type == attributes.key_type)
        && op.label.as_ref().is_none_or(|label| *label == attributes.label)
        && op.id.as_ref().is_none_or(|id| *id == attributes.id)
        && op.lifetime.is_none_or(|lifetime| lifetime == key.lifetime())
        && op.users.iter().all(|user| key.is_usable_by(*user))
        && op.modulus.as_ref().is_none_or(|modulus| Some(modulus) == attributes.modulus.as_ref())
        && op.kcv.as_ref().is_none_or(|kcv| attributes.kcv.is_some_and(|own| own == kcv.as_slice()))
}
