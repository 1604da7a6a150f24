//! The rules for keys in and out.
//!
//! The owner of an extractable key may have its value, and so may whoever can decrypt with a key that the owner wraps
//! it with. Two kinds of keys are kept from their owners, too: those that are not extractable leave no HSM at all, and
//! those that only trusted keys may wrap leave it in a form that nobody can decrypt outside an HSM. So what a trusted
//! key has encrypted comes back only as a key of the second kind: see `Keys::is_guarded`.

use super::{Case, Computation, Computed, Decide, Decided, Key, NewKey, Ruling};
use crate::protocol::Refusal;
use crate::protocol::attribute::Attributes;
use crate::protocol::key::{KeyClass, KeyHandle, KeyType};
use crate::protocol::wrap::{MAX_HOST_DATA, Sealed, UnwrapHost, UnwrapKey, WrapHost, WrapKey, WrappedBytes};
use crate::protocol::wrapping::WrapMechanism;

impl Decide for WrapKey {
    fn decide(&self, case: &Case<'_>) -> Ruling<WrappedBytes> {
        let key = case.own_key(self.handle)?;
        if key.attributes.class == KeyClass::Public {
            return Err(Refusal::KeyUnfit.into());
        }
        if !key.attributes.extractable {
            return Err(Refusal::KeyNotExtractable.into());
        }
        let wrapping = case.wrapping_key(self.wrapping, Way::Out, &self.mechanism)?;
        if !wrapping.attributes.wrap {
            return Err(Refusal::KeyUnfit.into());
        }
        // Whoever could unwrap it has the key already, but a sharer, who may only use it, could decrypt its value.
        if key.is_twin_of(wrapping) {
            return Err(Refusal::KeyUnfit.into());
        }
        if case.hsm.keys.is_guarded(key) && !wrapping.attributes.trusted {
            return Err(Refusal::TrustedKeyNeeded.into());
        }
        let (key, wrapping, mechanism) =
            (key.material.clone(), wrapping.material.clone(), self.mechanism.clone());
        let what = Computation::Wrap { key, wrapping, mechanism };
        Ok(Decided::read(case.computed(what, Computed::wrapped)?.clone()))
    }
}

impl Decide for UnwrapKey {
    fn decide(&self, case: &Case<'_>) -> Ruling<KeyHandle> {
        must_have_value(self.class, self.key_type)?;
        case.check(&self.template, 1)?;
        let wrapping = case.wrapping_key(self.wrapping, Way::In, &self.mechanism)?;
        if !wrapping.attributes.unwrap {
            return Err(Refusal::KeyUnfit.into());
        }
        let new = case.computed(self.by(wrapping), Computed::key)?;
        let attributes = new.attributes.clone();
        let attributes = self.flags.map_or(attributes.clone(), |flags| flags.given_to(attributes));
        // Otherwise the owner of a key that only trusted keys may wrap could make a weaker copy of it.
        let wrap_with_trusted = attributes.wrap_with_trusted || case.hsm.keys.is_guarded(wrapping);
        let attributes = Attributes { wrap_with_trusted, ..attributes };
        case.take_in(&self.template, NewKey { attributes, material: new.material.clone() })
    }
}

impl UnwrapKey {
    fn by(&self, wrapping: &Key) -> Computation {
        Computation::Unwrap {
            wrapping: wrapping.material.clone(),
            mechanism: self.mechanism.clone(),
            wrapped: self.wrapped.clone(),
            class: self.class,
            key_type: self.key_type,
        }
    }
}

impl Decide for WrapHost {
    fn decide(&self, case: &Case<'_>) -> Ruling<WrappedBytes> {
        if !(1..MAX_HOST_DATA).contains(&self.data.expose().len()) {
            return Err(Refusal::InvalidInput.into());
        }
        let wrapping = case.wrapping_key(self.wrapping, Way::Out, &self.mechanism)?;
        if !wrapping.attributes.encrypt {
            return Err(Refusal::KeyUnfit.into());
        }
        let (wrapping, mechanism, data) =
            (wrapping.material.clone(), self.mechanism.clone(), self.data.clone());
        let what = Computation::WrapHost { wrapping, mechanism, data };
        Ok(Decided::read(case.computed(what, Computed::wrapped)?.clone()))
    }
}

impl Decide for UnwrapHost {
    fn decide(&self, case: &Case<'_>) -> Ruling<Sealed> {
        let wrapping = case.wrapping_key(self.wrapping, Way::In, &self.mechanism)?;
        if case.hsm.keys.is_guarded(wrapping) {
            return Err(Refusal::TrustedKeyDecrypts.into());
        }
        if !wrapping.attributes.decrypt {
            return Err(Refusal::KeyUnfit.into());
        }
        let (wrapping, mechanism) = (wrapping.material.clone(), self.mechanism.clone());
        let (wrapped, recipient) = (self.wrapped.clone(), self.recipient.clone());
        let what = Computation::UnwrapHost { wrapping, mechanism, wrapped, recipient };
        Ok(Decided::read(case.computed(what, Computed::sealed)?.clone()))
    }
}

/// Which half of an RSA pair does it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The private half decrypts.
    In,
    /// The public half encrypts.
    Out,
}

impl Case<'_> {
    /// A key that the caller may use and that the mechanism fits.
    fn wrapping_key(&self, handle: KeyHandle, way: Way, mechanism: &WrapMechanism) -> Result<&Key, Refusal> {
        let key = self.usable_key(handle)?;
        // Whether the padding was right is an answer, and enough answers reveal what was encrypted (Bleichenbacher).
        if *mechanism == WrapMechanism::RsaPkcs && self.hsm.keys.is_guarded(key) {
            return Err(Refusal::KeyUnfit);
        }
        let key_type = mechanism.key_type();
        let class = match way {
            Way::In | Way::Out if key_type != KeyType::Rsa => KeyClass::Secret,
            Way::In => KeyClass::Private,
            Way::Out => KeyClass::Public,
        };
        let fits = (key.attributes.class, key.attributes.key_type) == (class, key_type);
        if fits { Ok(key) } else { Err(Refusal::KeyUnfit) }
    }
}

/// Refuses kinds of keys that no value makes.
fn must_have_value(class: KeyClass, key_type: KeyType) -> Result<(), Refusal> {
    match (class, key_type) {
        (KeyClass::Secret, KeyType::Aes | KeyType::TripleDes | KeyType::GenericSecret)
        | (KeyClass::Private, KeyType::Rsa | KeyType::Ec | KeyType::Dsa) => Ok(()),
        (KeyClass::Secret, KeyType::Rsa | KeyType::Ec | KeyType::Dsa)
        | (KeyClass::Private, KeyType::Aes | KeyType::TripleDes | KeyType::GenericSecret)
        | (KeyClass::Public, _) => Err(Refusal::InvalidInput),
    }
}
