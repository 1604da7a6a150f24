//! What an HSM computes with keys in plaintext.
//!
//! Bytes in, bytes out: nothing here knows of handles, rules, the store or the network. aws-lc-rs does the work. Where
//! it lacks something, a crate of RustCrypto does it, and the file says what is lacking.
//!
//! * [`keys`]: new keys and values from outside become keys with attributes.
//! * [`signing`]: signatures of hashes.
//! * [`wrapping`]: values encrypted under other keys.

pub mod keys;
mod random;
pub mod signing;
pub mod wrapping;
