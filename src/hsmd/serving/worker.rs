//! Slow work, done away from the threads that serve connections.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task;

use super::attester::Attester;
use super::turns::{Asker, Recent, TURNS, Turn};
use crate::hsm::{Work, Worked};
use crate::hsmd::keeping::password::Hasher;
use crate::hsmd::keeping::vault::{Vault, random_key};
use crate::protocol::{Request, Secret};

/// Does [`Work`], as much at a time as there are processors, but for passwords, which are hashed in turns. To make a pair
/// of RSA keys takes up to seconds: that has permits of its own, one fewer, so that it never holds up anything else.
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

    /// Does the work that a request needs, on a thread for blocking work; `None` if there is not enough memory, or no
    /// random numbers.
    pub(super) async fn work(&self, work: Work, request: &Request, hashes: &mut Recent) -> Option<Worked> {
        let (turn, permit) = match work {
            Work::HashPassword | Work::CheckPassword(_) => {
                let turn = TURNS.next(Asker::of(request, hashes)).await?;
                hashes.add(Instant::now());
                (Some(turn), None)
            }
            Work::Generate(_) => (None, Some(permit(&self.permits_for_keys).await?)),
            Work::Mask(_)
            | Work::Unmask(_)
            | Work::MaskAll(_)
            | Work::UnmaskAll(_)
            | Work::Print(_)
            | Work::Random
            | Work::Compute(_)
            | Work::Attest(_) => (None, Some(permit(&self.permits).await?)),
        };
        let (worker, password) = (self.clone(), request.password().cloned());
        let salt = request.subject().map(|(user_type, name)| self.vault.salt(user_type, name));
        let done = task::spawn_blocking(move || {
            let _permit = permit;
            worker.work_here(work, password.as_ref().zip(salt), turn)
        });
        done.await.ok()?
    }

    /// Runs a function on the HSM's cryptography, as other work; `None` if it panicked.
    pub(in crate::hsmd) async fn with_vault<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Vault) -> T + Send + 'static,
    ) -> Option<T> {
        let (permit, vault) = (permit(&self.permits).await?, Arc::clone(&self.vault));
        let done = task::spawn_blocking(move || {
            let _permit = permit;
            work(&vault)
        });
        done.await.ok()
    }

    fn work_here(
        &self,
        work: Work,
        password: Option<(&Secret, [u8; 16])>,
        turn: Option<Turn>,
    ) -> Option<Worked> {
        match work {
            Work::HashPassword => {
                let (password, salt) = password?;
                self.hasher.hash(password, &salt, turn?.memory()).map(Worked::Hashed)
            }
            Work::CheckPassword(hash) => {
                let (password, _) = password?;
                let right = self.hasher.matches(&hash, password, turn?.memory());
                Some(Worked::Checked { hash, right })
            }
            Work::Generate(spec) => self.vault.generate(spec).ok().map(Worked::Generated),
            Work::Mask(copied) => self.vault.mask(*copied).ok().map(Worked::Masked),
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
            Work::MaskAll(keys) => Some(Worked::MaskedAll(self.vault.mask_all(keys))),
            Work::UnmaskAll(objects) => {
                Some(Worked::UnmaskedAll(objects.iter().map(|object| self.vault.unmask(object)).collect()))
            }
            Work::Print(of) => {
                let prints = of.iter().map(|hash| self.vault.prints(hash)).collect();
                Some(Worked::Printed { of, family: self.vault.family(), prints })
            }
        }
    }
}

async fn permit(permits: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(permits).acquire_owned().await.ok()
}
