//! Which other keys bear upon a key, as they have the same value or are the other half of its pair, without a look at
//! all of them.

use imbl::OrdSet;

use super::Key;
use super::hash::sha256_of;
use crate::protocol::key::KeyHandle;

/// The handles of keys by what they have in common. It follows from the keys, and is not stored.
///
/// Most keys are not in it: nothing was decided about them that a copy could undo.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Twins(OrdSet<(Bond, KeyHandle)>);

/// What keys have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bond {
    /// The fingerprint of the value.
    Value([u8; 32]),
    /// A hash of the key type and modulus.
    Modulus([u8; 32]),
}

impl Twins {
    pub(super) fn add(&mut self, handle: KeyHandle, key: &Key) {
        for bond in Bond::all(key) {
            self.0.insert((bond, handle));
        }
    }

    pub(super) fn remove(&mut self, handle: KeyHandle, key: &Key) {
        for bond in Bond::all(key) {
            self.0.remove(&(bond, handle));
        }
    }

    /// The keys with this value about which something was decided: they are trusted or guarded, or changes were approved.
    pub(super) fn decided(&self, fingerprint: [u8; 32]) -> impl Iterator<Item = KeyHandle> {
        self.bound_by(Bond::Value(fingerprint))
    }

    /// Those, and all with the same modulus; some of them twice, and the key itself, too, if the HSM has it.
    pub(super) fn of(&self, key: &Key) -> impl Iterator<Item = KeyHandle> {
        let modulus = Bond::modulus(key).into_iter().flat_map(|bond| self.bound_by(bond));
        self.decided(key.material.fingerprint).chain(modulus)
    }

    fn bound_by(&self, bond: Bond) -> impl Iterator<Item = KeyHandle> {
        self.0.range((bond, KeyHandle(u32::MIN))..=(bond, KeyHandle(u32::MAX))).map(|(_, handle)| *handle)
    }
}

impl Bond {
    fn all(key: &Key) -> impl Iterator<Item = Self> + use<> {
        let is_decided = key.approved > 0 || key.attributes.trusted || key.attributes.wrap_with_trusted;
        let value = is_decided.then_some(Self::Value(key.material.fingerprint));
        value.into_iter().chain(Self::modulus(key))
    }

    /// `None` if it has no modulus.
    fn modulus(Key { attributes, .. }: &Key) -> Option<Self> {
        let modulus = attributes.modulus.as_ref()?;
        // These types can always be encoded.
        Some(Self::Modulus(sha256_of(&(attributes.key_type, modulus)).unwrap_or_default()))
    }
}
