//! Cryptography that HSMs and tools have in common.
//!
//! [`key_wrap`] encrypts keys under AES keys; [`sealing`] keeps what an HSM decrypts for one client from everybody else.

pub mod key_wrap;
pub mod sealing;
