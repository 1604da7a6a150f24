//! The rules for keys.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::hash::sha256;
use super::{
    Case, Computation, Computed, Decide, Decided, Event, Hsm, Material, No, Prints, Ruling, SessionId, Work,
    Worked,
};
use crate::protocol::Refusal;
use crate::protocol::attribute::Attributes;
use crate::protocol::key::{
    CreatePublicKey, DeleteKey, DescribeKey, FindKeys, GenerateKey, Hold, KeyClass, KeyDescription,
    KeyHandle, KeyList, KeySpec, Lifetime, ListKeys, PublicKeyInfo, ReadPublicKey, ShareKey, Sharing,
    Template,
};
use crate::protocol::user::UserId;

/// How many keys an HSM holds.
pub const MAX_KEYS: usize = 16_666;

/// The index of an HSM's first key; the original reserves those before it.
pub const FIRST_INDEX: u32 = 6;

/// The longest label or id, in bytes.
pub(super) const MAX_TEXT: usize = 128;

/// The most users that a key is shared with, and its highest M value.
pub(super) const MAX_SHARED: usize = 8;

/// The sizes that an RSA pair may get, if they are multiples of 256.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;

/// The public exponents that an RSA pair may get, if they are odd.
const EXPONENTS: std::ops::RangeInclusive<u32> = 65_537..=0x7fff_ffff;

/// A key's value, encrypted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrapped(#[serde(with = "crate::protocol::byte_string")] pub Vec<u8>);

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
    /// Of what it is now.
    #[serde(skip)]
    pub prints: Prints,
}

impl Key {
    fn is_usable_by(&self, user: UserId) -> bool {
        self.attributes.class == KeyClass::Public || self.is_held_by(user)
    }

    /// Whether the user owns it or shares it.
    pub(super) fn is_held_by(&self, user: UserId) -> bool {
        self.owner == user || self.shared_with.contains(&user)
    }

    /// Whether it can decrypt what the other has encrypted: the same value, or the other half of a pair.
    pub(super) fn is_twin_of(&self, other: &Self) -> bool {
        let (own, of_other) = (&self.attributes, &other.attributes);
        self.material.fingerprint == other.material.fingerprint
            || (own.key_type == of_other.key_type && own.modulus.is_some() && own.modulus == of_other.modulus)
    }

    fn lifetime(&self) -> Lifetime {
        if self.attributes.token { Lifetime::Token } else { Lifetime::Session }
    }
}

impl Decide for GenerateKey {
    fn decide(&self, case: &Case<'_>) -> Ruling<Vec<KeyHandle>> {
        let count = keys_of(self.spec)?;
        case.check(&self.template, count)?;
        match case.env.worked {
            Some(Worked::Generated(new)) if new.len() == count => case.create(&self.template, new),
            _ => Err(No::Needs(Work::Generate(self.spec))),
        }
    }
}

impl Decide for CreatePublicKey {
    fn decide(&self, case: &Case<'_>) -> Ruling<KeyHandle> {
        let (label, id) = (self.label.clone(), self.id.clone());
        let template = Template { label, id, lifetime: self.lifetime, ..Template::default() };
        case.check(&template, 1)?;
        let key = case.computed(Computation::TakeInPublic(self.key.clone()), Computed::key)?;
        case.take_in(&template, key.clone())
    }
}

impl Decide for ReadPublicKey {
    fn decide(&self, case: &Case<'_>) -> Ruling<PublicKeyInfo> {
        let key = case.usable_key(self.handle)?;
        if key.attributes.class != KeyClass::Public {
            return Err(Refusal::KeyUnfit.into());
        }
        let value = case.computed(Computation::ReadPublic(key.material.clone()), Computed::bytes)?;
        Ok(Decided::read(PublicKeyInfo(value.clone())))
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
    pub(super) fn insert_key(&mut self, handle: KeyHandle, key: &Key, session: Option<SessionId>) {
        self.tokens.end_key(handle);
        self.keys.use_up(self.identity.node_id, handle);
        self.keys.insert(handle, key.clone(), session);
    }

    pub(super) fn delete_key(&mut self, handle: KeyHandle) {
        self.tokens.end_key(handle);
        self.keys.remove(handle);
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

/// How many keys are made, if the HSM makes such keys.
fn keys_of(spec: KeySpec) -> Result<usize, Refusal> {
    match spec {
        KeySpec::Aes { bytes: 16 | 24 | 32 } | KeySpec::TripleDes => Ok(1),
        KeySpec::GenericSecret { bytes: 1..=3584 } => Ok(1),
        KeySpec::Rsa { bits: 2048 | 3072 | 4096 } | KeySpec::Ec(_) | KeySpec::Dsa { bits: 2048 } => Ok(2),
        KeySpec::RsaWithExponent { bits, exponent }
            if RSA_BITS.contains(&bits)
                && bits % 256 == 0
                && EXPONENTS.contains(&exponent)
                && exponent % 2 == 1 =>
        {
            Ok(2)
        }
        KeySpec::Aes { .. }
        | KeySpec::GenericSecret { .. }
        | KeySpec::Rsa { .. }
        | KeySpec::RsaWithExponent { .. }
        | KeySpec::Dsa { .. } => Err(Refusal::PolicyViolation),
    }
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
