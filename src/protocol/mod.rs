//! What a client may ask an HSM, and what the HSM may answer: types only, no I/O.
//!
//! [`operation`] is the table of everything that can be asked. The nouns behind it have a file each:
//! [`user`], [`session`], [`quorum`], [`second_factor`],
//! [`key`], [`attribute`], [`masked`], [`device`], [`certificate`]. [`message`] frames a question for the wire, and [`refusal`] is the
//! closed list of reasons to say no.

pub mod attribute;
pub mod certificate;
pub mod device;
pub mod key;
pub mod masked;
pub mod message;
pub mod operation;
pub mod quorum;
pub mod refusal;
pub mod second_factor;
mod secret;
pub mod session;
pub mod user;

pub use operation::{Access, Effect, Operation, Reply, Request};
pub use refusal::Refusal;
pub use secret::Secret;
