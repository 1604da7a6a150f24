//! The versions of all keys, in a form that is quick to compare.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::hsm::{Hsm, Version};
use crate::protocol::key::KeyHandle;

/// A hash of versions: equal on HSMs with equal keys, and nothing but hashes goes into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Digest([u8; 32]);

/// The keys are in so many buckets, so that a few differences cost little to find.
pub(super) const BUCKETS: u32 = 256;

/// An HSM's keys at one moment.
pub(super) struct View {
    /// One that no other view of this HSM has.
    pub(super) number: u64,
    pub(super) hsm: Hsm,
    pub(super) root: Digest,
    pub(super) buckets: Vec<Digest>,
    versions: BTreeMap<(u32, KeyHandle), Version>,
}

impl View {
    pub(super) fn of(hsm: Hsm, number: u64) -> Self {
        let versions: BTreeMap<_, _> =
            hsm.versions().map(|(handle, version)| ((bucket(handle), handle), version)).collect();
        let all = |number| versions.range((number, KeyHandle(0))..=(number, KeyHandle(u32::MAX)));
        let buckets: Vec<Digest> = (0..BUCKETS).map(|number| digest(all(number))).collect();
        Self { root: digest(buckets.iter()), number, buckets, versions, hsm }
    }

    pub(super) fn is_of(&self, hsm: &Hsm) -> bool {
        self.hsm.has_keys_and_users_of(hsm)
    }

    pub(super) fn bucket(&self, number: u32) -> impl Iterator<Item = (KeyHandle, Version)> {
        let all = self.versions.range((number, KeyHandle(0))..=(number, KeyHandle(u32::MAX)));
        all.map(|((_, handle), version)| (*handle, *version))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (KeyHandle, Version)> {
        self.versions.iter().map(|((_, handle), version)| (*handle, *version))
    }
}

fn bucket(handle: KeyHandle) -> u32 {
    handle.0 % BUCKETS
}

fn digest<T: Serialize>(parts: impl Iterator<Item = T>) -> Digest {
    let mut hash = Context::new(&SHA256);
    for part in parts {
        // These types can always be encoded.
        hash.update(&postcard::to_stdvec(&part).unwrap_or_default());
    }
    Digest(<[u8; 32]>::try_from(hash.finish().as_ref()).unwrap_or_default())
}
