//! Deletions are remembered until every member of the cluster has seen them: an HSM that comes back later would bring
//! the key back otherwise.

use std::collections::{BTreeMap, BTreeSet};

pub use super::message::Deletion;
use crate::hsm::{CopiedKey, Offered, Past, State, Version};
use crate::protocol::key::KeyHandle;

/// Which members have seen which deletions. It is in memory only: after a restart the members tell each other again.
pub struct Deletions {
    node_id: u32,
    members: BTreeSet<u32>,
    seen: BTreeMap<KeyHandle, Deletion>,
    forgotten: Forgotten,
}

/// Deletions that every member has seen. One that does not know that yet may still speak of them, and one that joins
/// later may have the keys, from a backup that is older.
#[derive(Clone, Default)]
pub struct Forgotten(BTreeMap<KeyHandle, (Version, Past)>);

/// How many forgotten deletions are recognized. One that is not is only learned once more.
const RECOGNIZED: usize = 16_384;

impl Deletions {
    /// Of a member.
    #[must_use]
    pub fn new(node_id: u32, members: impl IntoIterator<Item = u32>) -> Self {
        let members = members.into_iter().chain([node_id]).collect();
        Self { node_id, members, seen: BTreeMap::new(), forgotten: Forgotten::default() }
    }

    /// What this HSM knows of the deletions among these versions, which are its own.
    #[must_use]
    pub fn of(&self, versions: impl Iterator<Item = (KeyHandle, Version)>) -> Vec<Deletion> {
        versions.filter(is_deletion).map(|(handle, version)| self.get(handle, version)).collect()
    }

    /// For a caller who named deletions: those of them that every member has seen.
    #[must_use]
    pub fn settled(&self, named: &[Deletion]) -> Vec<Deletion> {
        let settled = named.iter().filter(|named| self.is_forgotten(named.handle, named.version));
        settled.map(|named| Deletion { seen_by: self.members.clone(), ..named.clone() }).collect()
    }

    /// Another member has these deletions, too. `own` says which version this HSM has.
    pub fn learn(&mut self, told: &[Deletion], from: u32, own: impl Fn(KeyHandle) -> Option<Version>) {
        for Deletion { handle, version, seen_by } in told {
            if own(*handle) == Some(*version) {
                let mut known = self.get(*handle, *version);
                known.seen_by.extend(seen_by.iter().copied().chain([from]));
                self.seen.insert(*handle, known);
            }
        }
    }

    /// Another member has exactly these versions.
    pub fn all_seen_by(&mut self, member: u32, versions: impl Iterator<Item = (KeyHandle, Version)>) {
        for (handle, version) in versions.filter(is_deletion) {
            let mut known = self.get(handle, version);
            known.seen_by.insert(member);
            self.seen.insert(handle, known);
        }
    }

    /// Those that every member has seen, which need not be remembered any more.
    #[must_use]
    pub fn to_forget(&self) -> Vec<(KeyHandle, Version)> {
        let done = self.seen.values().filter(|known| self.members.is_subset(&known.seen_by));
        done.map(|known| (known.handle, known.version)).collect()
    }

    /// The HSM has forgotten these, of which it had this to say.
    pub fn forget(&mut self, settled: Vec<Offered<CopiedKey>>) {
        settled.iter().for_each(|settled| drop(self.seen.remove(&settled.handle)));
        self.forgotten.add(settled);
    }

    /// Whether this is a deletion that every member has seen.
    #[must_use]
    pub fn is_forgotten(&self, handle: KeyHandle, version: Version) -> bool {
        self.forgotten.0.get(&handle).is_some_and(|(forgotten, _)| *forgotten == version)
    }

    /// Those that every member has seen.
    #[must_use]
    pub fn forgotten(&self) -> &Forgotten {
        &self.forgotten
    }

    /// Those that every member had seen before.
    pub fn set_forgotten(&mut self, forgotten: Forgotten) {
        self.forgotten = forgotten;
    }

    fn get(&self, handle: KeyHandle, version: Version) -> Deletion {
        let known = self.seen.get(&handle).filter(|known| known.version == version);
        let new = || Deletion { handle, version, seen_by: BTreeSet::from([self.node_id]) };
        known.cloned().unwrap_or_else(new)
    }
}

impl Forgotten {
    /// The first of them, as an HSM offers them that remembers them.
    #[must_use]
    pub fn first(&self, count: usize) -> Vec<Offered<CopiedKey>> {
        let offer = |(handle, (version, past)): (&KeyHandle, &(Version, Past))| Offered {
            handle: *handle,
            version: *version,
            past: past.clone(),
            performed: None,
            key: None,
        };
        self.0.iter().take(count).map(offer).collect()
    }

    /// Without the first of them.
    pub fn drop_first(&mut self, count: usize) {
        (0..count).for_each(|_| drop(self.0.pop_first()));
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds deletions that an HSM offers.
    pub fn add(&mut self, offered: Vec<Offered<CopiedKey>>) {
        self.extend(Self(offered.into_iter().map(|one| (one.handle, (one.version, one.past))).collect()));
    }

    /// Adds those of another.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
        self.drop_first(self.0.len().saturating_sub(RECOGNIZED));
    }
}

fn is_deletion((_, version): &(KeyHandle, Version)) -> bool {
    version.state == State::DELETED
}
