//! The handles of keys.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Names a key on every HSM of its clone family: node × 131072 + index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyHandle(pub u32);

/// How many handles each node of a cluster may give out.
pub const HANDLES_PER_NODE: u32 = 1 << 17;

impl fmt::Display for KeyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
