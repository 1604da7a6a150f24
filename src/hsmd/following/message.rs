//! What two members of a cluster say to each other.
//!
//! The frames, the hello and the welcome are those of clients. Then comes one [`Proof`] with its answer, and if their
//! digests differ as many questions as the caller likes, each with one answer.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::view::Digest;
use crate::hsm::{Offered, Version};
use crate::protocol::key::KeyHandle;

/// The version in the hello of a member. No client ever has it.
pub(in crate::hsmd) const PEER: u16 = 0x8001;

/// A member says who it is, and proves it.
#[derive(Serialize, Deserialize)]
pub(super) struct Proof {
    pub(super) who: Who,
    /// With the cluster's key, of what [`Who::statement`] says.
    pub(super) signature: Vec<u8>,
}

/// A member, and what it has.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Who {
    /// The cluster: its maker's CA, which no other cluster has. Clones have the same key and another maker.
    pub(super) cluster: [u8; 32],
    pub(super) node_id: u32,
    pub(super) root: Digest,
}

/// The answer to a [`Proof`].
pub(super) type Met = Result<Who, TurnedAway>;

/// Why a caller gets nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub(super) enum TurnedAway {
    #[error("it does not take this HSM for a member of its cluster")]
    NotAMember,
    #[error("keys do not follow there: it is switched off in its hsmd.json")]
    Off,
}

/// A question of the caller.
#[derive(Serialize, Deserialize)]
pub(super) enum Ask {
    /// For the digest of each bucket.
    Buckets,
    /// For the versions in a bucket. The caller names the deletions that it has there.
    Bucket(u32, Vec<Deletion>),
    /// For keys.
    Keys(Vec<KeyHandle>),
}

/// Its answer.
#[derive(Serialize, Deserialize)]
pub(super) enum Told {
    Buckets(Vec<Digest>),
    Bucket(Vec<(KeyHandle, Version)>, Vec<Deletion>),
    /// The keys are masked objects.
    Keys(Vec<Offered<Vec<u8>>>),
}

/// A deleted key, and the members that are known to have seen that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Deletion {
    pub handle: KeyHandle,
    pub version: Version,
    pub seen_by: BTreeSet<u32>,
}

impl Who {
    /// What the caller signs. The exporter is of this TLS connection alone, so that nobody can pass the signature on.
    pub(super) fn statement(&self, exporter: &[u8; 32]) -> Vec<u8> {
        let Self { cluster, node_id, root: _ } = self;
        [b"hsmd member of a cluster 1".as_slice(), exporter, cluster, &node_id.to_be_bytes()].concat()
    }
}
