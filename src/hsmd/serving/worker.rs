//! Slow work, done away from the threads that serve connections.

use std::sync::Arc;
use std::thread;

use tokio::sync::Semaphore;
use tokio::task;

use super::attester::Attester;
use crate::hsm::{Work, Worked};
use crate::hsmd::keeping::password::Hasher;
use crate::hsmd::keeping::vault::{Vault, random_key};
use crate::protocol::Secret;

/// Does [`Work`], as much at a time as there are processors: a password hash takes tens of milliseconds and by default
/// 19 MiB, an RSA key pair up to seconds. Making keys has permits of its own, one fewer, so that it never holds up a
/// login.
#[derive(Clone)]
pub struct Worker {
    hasher: Hasher,
    vault: Arc<Vault>,
    attester: Attester,
    permits: Arc<Semaphore>,
    permits_for_keys: Arc<Semaphore>,
}

impl Worker {
    /// Works for one HSM.
    #[must_use]
    pub fn new(hasher: Hasher, vault: Vault, attester: Attester) -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self {
            hasher,
            vault: Arc::new(vault),
            attester,
            permits: Arc::new(Semaphore::new(processors)),
            permits_for_keys: Arc::new(Semaphore::new(processors.saturating_sub(1).max(1))),
        }
    }

    /// Does the work on a thread for blocking work; `None` if there is not enough memory, or no random numbers.
    pub async fn work(&self, work: Work, password: Option<Secret>) -> Option<Worked> {
        let permits = match work {
            Work::Generate(_) => &self.permits_for_keys,
            Work::HashPassword
            | Work::CheckPassword(_)
            | Work::Mask(_)
            | Work::Unmask(_)
            | Work::Random
            | Work::Compute(_)
            | Work::Attest(_) => &self.permits,
        };
        let permit = Arc::clone(permits).acquire_owned().await.ok()?;
        let worker = self.clone();
        let done = task::spawn_blocking(move || {
            let _permit = permit;
            worker.work_here(work, password.as_ref())
        });
        done.await.ok()?
    }

    fn work_here(&self, work: Work, password: Option<&Secret>) -> Option<Worked> {
        match work {
            Work::HashPassword => self.hasher.hash(password?).map(Worked::Hashed),
            Work::CheckPassword(hash) => {
                let right = self.hasher.matches(&hash, password?);
                Some(Worked::Checked { hash, right })
            }
            Work::Generate(spec) => self.vault.generate(spec).ok().map(Worked::Generated),
            Work::Mask(copied) => self.vault.mask(&copied).ok().map(Worked::Masked),
            Work::Random => Some(Worked::Random(*random_key().ok()?)),
            Work::Compute(of) => {
                let result = self.vault.compute(&of);
                Some(Worked::Computed { of, result })
            }
            Work::Attest(statement) => {
                let signature = self.attester.sign(&statement)?;
                Some(Worked::Attested { statement, signature })
            }
            Work::Unmask(object) => Some(Worked::Unmasked(self.vault.unmask(&object).map(Box::new))),
        }
    }
}
