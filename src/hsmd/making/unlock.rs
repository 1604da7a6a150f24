//! Unlocks a user for the owner of an HSM's folder.

use std::io;
use std::path::{Path, PathBuf};

use crate::files::without_number;
use crate::hsm::Unlock;
use crate::hsmd::keeping::folder::{Folder, FolderError, hsm_folders};
use crate::hsmd::keeping::store::StoreError;
use crate::hsmd::serving::clock::Clock;
use crate::hsmd::serving::control::{self, Ask};
use crate::protocol::Refusal;

/// Why a user is not unlocked.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum UnlockError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("{folder}: the running HSM does not answer: {error}", folder = .0.display(), error = without_number(.1))]
    Running(PathBuf, io::Error),
    #[error("{folder}: {text}", folder = .0.display(), text = .1.text())]
    Refused(PathBuf, Refusal),
    #[error("{folder}: {1}", folder = .0.display())]
    Store(PathBuf, StoreError),
}

/// Unlocks a user of an HSM, running or stopped.
///
/// # Errors
///
/// If there is no such user, or the HSM cannot be reached or written.
pub fn unlock(folder: &Path, user: &Unlock) -> Result<(), UnlockError> {
    if hsm_folders(folder)?.as_slice() != [folder] {
        return Err(FolderError::Cluster(folder.to_owned()).into());
    }
    let running = control::ask::<Result<(), Refusal>>(folder, &Ask::Unlock(user.clone()));
    let running = running.map_err(|error| UnlockError::Running(folder.to_owned(), error))?;
    let refused = |refusal| UnlockError::Refused(folder.to_owned(), refusal);
    if let Some(answer) = running {
        return answer.map_err(refused);
    }
    let Folder { mut store, hsm, .. } = Folder::open(folder)?;
    let events = hsm.unlock(user, Clock::default().now()).map_err(refused)?;
    store.commit(&[&events]).map_err(|error| UnlockError::Store(folder.to_owned(), error))
}
