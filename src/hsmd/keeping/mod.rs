//! What an HSM keeps on disk, and the cryptography that protects it.
//!
//! A [`folder`] holds the HSM's [`settings`], its history in a [`store`], and the secrets of its [`vault`].
//! [`private_files`] writes such files; [`password`] hashes passwords.

mod compute;
pub mod disk;
pub mod folder;
pub mod password;
pub mod private_files;
pub mod settings;
pub mod store;
pub mod vault;
