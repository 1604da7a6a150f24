//! What the operations take and give. A member's type holds what the model says of it, so that whatever was decoded is
//! within the model's limits.
//!
//! [`decode`](mod@decode) reads an input. [`text`] and [`bounds`] have the limits, [`names`] the patterns, and
//! [`timestamp`] the one member that the two protocols write differently. The rest is a file for each noun.

pub mod backup;
pub mod bounds;
pub mod cluster;
pub mod decode;
pub mod hsm;
pub mod names;
pub mod policy;
pub mod tag;
pub mod text;
pub mod timestamp;

pub use decode::decode;
