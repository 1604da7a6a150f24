//! Argon2id, off the threads that serve connections.

use std::sync::Arc;
use std::thread;

use argon2::password_hash::phc;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use tokio::task;

use super::settings::HashCost;
use crate::hsm::{PasswordHash, PasswordResult, PasswordWork};
use crate::protocol::Secret;

/// Does [`PasswordWork`], as many at a time as there are processors: each takes its memory and tens of
/// milliseconds.
#[derive(Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    permits: Arc<Semaphore>,
}

/// The parameters are not Argon2's.
#[derive(Debug, thiserror::Error)]
#[error("password_hash: not a set of Argon2 parameters")]
pub struct BadCost;

impl Hasher {
    /// Hashes new passwords at this cost; comparisons use the cost that a hash was made with.
    ///
    /// # Errors
    ///
    /// If Argon2 does not take the parameters.
    pub fn new(cost: HashCost) -> Result<Self, BadCost> {
        let params =
            Params::new(cost.memory_kib, cost.iterations, cost.parallelism, None).map_err(|_| BadCost)?;
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            permits: Arc::new(Semaphore::new(processors)),
        })
    }

    /// Does the work on a thread of its own; `None` if that thread could not do it.
    pub async fn work(&self, work: PasswordWork, password: Secret) -> Option<PasswordResult> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
        let hasher = self.clone();
        let done = task::spawn_blocking(move || {
            let _permit = permit;
            hasher.work_here(work, &password)
        });
        done.await.ok()?
    }

    /// Hashes on this thread.
    #[must_use]
    pub fn hash(&self, password: &Secret) -> Option<PasswordHash> {
        let hash = self.argon2.hash_password(password.expose().as_bytes()).ok()?;
        Some(PasswordHash(hash.to_string()))
    }

    fn work_here(&self, work: PasswordWork, password: &Secret) -> Option<PasswordResult> {
        match work {
            PasswordWork::Hash => self.hash(password).map(PasswordResult::Hashed),
            PasswordWork::Check(hash) => {
                let right = self.matches(&hash, password);
                Some(PasswordResult::Checked { hash, right })
            }
        }
    }

    fn matches(&self, hash: &PasswordHash, password: &Secret) -> bool {
        phc::PasswordHash::new(&hash.0)
            .is_ok_and(|hash| self.argon2.verify_password(password.expose().as_bytes(), &hash).is_ok())
    }
}
