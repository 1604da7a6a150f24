//! The rules for signatures.

use super::{Case, Computation, Computed, Decide, Decided, Key, Ruling};
use crate::protocol::Refusal;
use crate::protocol::key::{KeyClass, Sign, SignMechanism, Signature, Verify};

impl Decide for Sign {
    fn decide(&self, case: &Case<'_>) -> Ruling<Signature> {
        let key = case.usable_key(self.handle)?;
        if !key.attributes.sign {
            return Err(Refusal::KeyUnfit.into());
        }
        must_fit(key, KeyClass::Private, self.mechanism, &self.hash)?;
        let (key, mechanism, hash) = (key.material.clone(), self.mechanism, self.hash.clone());
        let signature = case.computed(Computation::Sign { key, mechanism, hash }, Computed::bytes)?;
        Ok(Decided::read(Signature(signature.clone())))
    }
}

impl Decide for Verify {
    fn decide(&self, case: &Case<'_>) -> Ruling<()> {
        let key = case.usable_key(self.handle)?;
        if !key.attributes.verify {
            return Err(Refusal::KeyUnfit.into());
        }
        must_fit(key, KeyClass::Public, self.mechanism, &self.hash)?;
        let (key, mechanism, hash) = (key.material.clone(), self.mechanism, self.hash.clone());
        let signature = self.signature.clone();
        case.computed(Computation::Verify { key, mechanism, hash, signature }, Computed::bytes)?;
        Ok(Decided::read(()))
    }
}

/// Refuses a key of another kind than the mechanism's, and what cannot be one of its hashes.
fn must_fit(key: &Key, class: KeyClass, mechanism: SignMechanism, hash: &[u8]) -> Result<(), Refusal> {
    if (key.attributes.class, key.attributes.key_type) != (class, mechanism.scheme.key_type()) {
        return Err(Refusal::KeyUnfit);
    }
    if hash.len() == mechanism.hash.bytes() { Ok(()) } else { Err(Refusal::InvalidInput) }
}
