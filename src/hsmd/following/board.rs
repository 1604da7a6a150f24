//! What an HSM knows of the other members, and what monitoring sees of that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::deletions::{Deletions, Forgotten};
use super::view::{Digest, View};
use crate::protocol::Refusal;
use crate::protocol::key::KeyHandle;

/// What an HSM knows of the others.
pub struct Board {
    pub(super) view: Option<Arc<View>>,
    pub(super) views: u64,
    pub(super) deletions: Deletions,
    /// Deletions to remember again before the next exchange.
    pub(super) recalled: Forgotten,
    pub(super) members: BTreeMap<u32, Peer>,
    /// Members that have said that they have other keys.
    pub(super) hints: BTreeSet<u32>,
    followed: u64,
}

/// What an HSM knows of one other.
#[derive(Default)]
pub(super) struct Peer {
    /// What both had when all was compared and nothing was taken: as long as it is the same, there is no news.
    pub(super) compared: Option<Compared>,
    /// Why no keys followed from it last time.
    pub(super) trouble: Option<String>,
    /// Newer keys there that this HSM does not have.
    pub(super) behind: BTreeMap<KeyHandle, Option<Refusal>>,
    /// Keys that both have changed since they were the same.
    pub(super) unordered: BTreeSet<KeyHandle>,
}

impl Peer {
    /// So many keys are not taken yet. Why one was not last time stays known.
    pub(super) fn progress(&mut self, behind: &BTreeMap<KeyHandle, Option<Refusal>>) {
        self.behind.retain(|handle, _| behind.contains_key(handle));
        behind.iter().for_each(|(handle, reason)| {
            self.behind.entry(*handle).or_insert(*reason);
        });
    }
}

/// The number of the own view, and the root of the other's.
pub(super) type Compared = (u64, Digest);

/// Numbers for monitoring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Keys that came, changed or went as another member has them, since the program started.
    pub followed: u64,
    /// Keys that another member has in a newer version.
    pub behind: usize,
    /// Keys that were changed differently on this HSM and on another one.
    pub unordered: usize,
    /// Members that did not answer last time.
    pub unreached: usize,
}

impl Board {
    pub(super) fn new(node_id: u32, others: impl Iterator<Item = u32> + Clone) -> Self {
        Self {
            view: None,
            views: 0,
            deletions: Deletions::new(node_id, others.clone()),
            recalled: Forgotten::default(),
            members: others.map(|other| (other, Peer::default())).collect(),
            hints: BTreeSet::new(),
            followed: 0,
        }
    }

    /// Numbers for monitoring.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let peers = || self.members.values();
        let behind: BTreeSet<_> = peers().flat_map(|peer| peer.behind.keys()).collect();
        Figures {
            followed: self.followed,
            behind: behind.len(),
            unordered: self.unordered().len(),
            unreached: peers().filter(|peer| peer.trouble.is_some()).count(),
        }
    }

    /// Keys that were changed differently on this HSM and on another one, and stay as they are.
    #[must_use]
    pub fn unordered(&self) -> BTreeSet<KeyHandle> {
        self.members.values().flat_map(|peer| &peer.unordered).copied().collect()
    }

    pub(super) fn count_followed(&mut self, keys: usize) {
        self.followed = self.followed.saturating_add(keys as u64);
    }

    pub(super) fn peer(&mut self, node_id: u32) -> &mut Peer {
        self.members.entry(node_id).or_default()
    }

    /// Whether nothing is new since all keys were compared with this member's.
    pub(super) fn is_compared(&self, node_id: u32, view: &View, root: Digest) -> bool {
        self.members.get(&node_id).is_some_and(|peer| peer.compared == Some((view.number, root)))
    }

    /// Another member called and has other keys: it is to be asked, unless that would bring no news.
    pub(super) fn hint(&mut self, node_id: u32, view: &View, root: Digest) -> bool {
        !self.is_compared(node_id, view, root) && self.hints.insert(node_id)
    }
}
