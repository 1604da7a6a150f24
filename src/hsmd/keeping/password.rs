//! Password hashing with Argon2id.

use argon2::password_hash::phc;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use super::settings::HashCost;
use crate::hsm::PasswordHash;
use crate::protocol::Secret;

/// Hashes and verifies passwords.
#[derive(Clone)]
pub struct Hasher(Argon2<'static>);

/// Argon2 does not accept the parameters.
#[derive(Debug, thiserror::Error)]
#[error("password_hash: not a set of Argon2 parameters")]
pub struct BadCost;

impl Hasher {
    /// Hashes new passwords at this cost; to verify one, the cost its hash was made with counts.
    ///
    /// # Errors
    ///
    /// If Argon2 does not accept the parameters.
    pub fn new(cost: HashCost) -> Result<Self, BadCost> {
        let params =
            Params::new(cost.memory_kib, cost.iterations, cost.parallelism, None).map_err(|_| BadCost)?;
        Ok(Self(Argon2::new(Algorithm::Argon2id, Version::V0x13, params)))
    }

    /// Hashes a password; `None` if there is not enough memory, or no random salt.
    #[must_use]
    pub fn hash(&self, password: &Secret) -> Option<PasswordHash> {
        let hash = self.0.hash_password(password.expose().as_bytes()).ok()?;
        Some(PasswordHash(hash.to_string()))
    }

    /// Whether the hash is this password's.
    #[must_use]
    pub fn matches(&self, hash: &PasswordHash, password: &Secret) -> bool {
        phc::PasswordHash::new(&hash.0)
            .is_ok_and(|hash| self.0.verify_password(password.expose().as_bytes(), &hash).is_ok())
    }
}
