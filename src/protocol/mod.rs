//! What a client may ask an HSM, and what the HSM may answer: types only, no I/O.
//!
//! [`operation`] is the table of everything that can be asked. The structs behind it are filed by noun: [`user`],
//! [`session`], [`quorum`], [`second_factor`], [`key`], [`attribute`], [`flags`], [`wrap`], [`wrapping`],
//! [`wrapped_file`], [`masked`], [`compare`], [`attestation`], [`device`], [`certificate`].
//! [`message`] frames a question for the wire, and [`refusal`] is the closed list of reasons to say no.

mod about;
pub mod attestation;
pub mod attribute;
pub mod byte_string;
pub mod certificate;
pub mod compare;
pub mod device;
pub mod flags;
pub mod key;
mod key_handle;
pub mod masked;
pub mod message;
pub mod operation;
pub mod quorum;
pub mod refusal;
pub mod second_factor;
mod secret;
mod service;
pub mod session;
mod signature;
mod template;
pub mod user;
mod user_type;
pub mod wrap;
pub mod wrapped_file;
pub mod wrapping;

pub use about::{About, Access};
pub use operation::{Effect, Operation, Reply, Request, Visit};
pub use refusal::Refusal;
pub use secret::{Secret, SecretBytes};
