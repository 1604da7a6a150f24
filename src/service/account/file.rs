//! The account's folder and its file, which is replaced as a whole: after a crash it is the one before or the one after.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::state::{State, VERSION};
use crate::files::without_number;
use crate::hsmd::keeping::private_files::{WriteError, replace_json};
use crate::service::shapes::names::{BackupId, ClusterId, HsmId};

/// Why there is no account.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum OpenError {
    #[error("{path}: {error}", path = .0.display(), error = without_number(.1))]
    Folder(PathBuf, io::Error),
    #[error("{}: another hsmd serves this account", .0.display())]
    InUse(PathBuf),
    #[error("{}: not empty, and not an account: it has no {FILE}", .0.display())]
    Foreign(PathBuf),
    #[error("{path}: {1}", path = .0.display())]
    Damaged(PathBuf, String),
    #[error("{path}: version {1} of a later release", path = .0.display())]
    Version(PathBuf, u32),
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Where everything is in the account's folder.
#[derive(Clone, Debug)]
pub(super) struct Places(PathBuf);

const FILE: &str = "account.json";
const LOCK: &str = "lock";
const CLUSTERS: &str = "clusters";
const BACKUPS: &str = "backups";

impl Places {
    /// Takes the folder, which is made if it is missing, for as long as the file lives.
    pub(super) fn take(dir: &Path) -> Result<(Self, State, File), OpenError> {
        let failed = |error| OpenError::Folder(dir.to_owned(), error);
        private_folder(dir).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => failed(Errno::NOTDIR.into()),
            _ => failed(error),
        })?;
        // HSMs that are found later have to have the same paths, wherever the program is then.
        let places = Self(dir.canonicalize().map_err(failed)?);
        let file = places.0.join(FILE);
        let is_new = !file.exists();
        let is_odd = |name: &str| ![LOCK, CLUSTERS, BACKUPS].contains(&name) && !name.starts_with(".tmp");
        let mut entries = fs::read_dir(dir).map_err(failed)?.flatten();
        if is_new && entries.any(|entry| is_odd(&entry.file_name().to_string_lossy())) {
            return Err(OpenError::Foreign(dir.to_owned()));
        }
        let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(places.0.join(LOCK));
        let lock = lock.map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse(dir.to_owned()),
            TryLockError::Error(error) => failed(error),
        })?;
        for name in [CLUSTERS, BACKUPS] {
            private_folder(&places.0.join(name)).map_err(failed)?;
        }
        let state = if is_new { State::default() } else { read(&file)? };
        if is_new {
            places.save(&state)?;
        }
        Ok((places, state, lock))
    }

    pub(super) fn save(&self, state: &State) -> Result<(), WriteError> {
        replace_json(&self.0.join(FILE), state)
    }

    pub(super) fn cluster(&self, cluster: &ClusterId) -> PathBuf {
        self.0.join(CLUSTERS).join(cluster.as_str())
    }

    /// An ordinary folder of `hsmd`.
    pub(super) fn hsm(&self, cluster: &ClusterId, hsm: &HsmId) -> PathBuf {
        self.cluster(cluster).join(hsm.as_str())
    }

    /// An ordinary backup of `hsmd`. Its key is beside it.
    pub(super) fn backup(&self, backup: &BackupId) -> PathBuf {
        self.0.join(BACKUPS).join(backup_file(backup))
    }

    /// The backup that a cluster's next HSM is made from while the cluster has none.
    pub(super) fn seed(&self, cluster: &ClusterId) -> PathBuf {
        self.cluster(cluster).join(SEED)
    }

    /// Removes what no state mentions: what a cut call had begun, or had still to remove.
    pub(super) fn remove_orphans(&self, state: &State) {
        for (name, path) in entries(&self.0.join(CLUSTERS)) {
            let found = ClusterId::parse(&name).ok().and_then(|id| state.clusters.get(&id));
            match found.filter(|cluster| cluster.phase != super::state::Phase::Deleted) {
                None => remove(&path),
                Some(cluster) => {
                    let is_hsm =
                        |name: &str| HsmId::parse(name).is_ok_and(|id| cluster.hsms.contains_key(&id));
                    let is_known = |name: &str| is_hsm(name) || name.starts_with(SEED);
                    entries(&path).filter(|(name, _)| !is_known(name)).for_each(|(_, path)| remove(&path));
                }
            }
        }
        for (name, path) in entries(&self.0.join(BACKUPS)) {
            let id = name.split('.').next().and_then(|id| BackupId::parse(id).ok());
            if !id.is_some_and(|id| state.backups.contains_key(&id)) {
                remove(&path);
            }
        }
    }
}

const SEED: &str = "seed.backup";

fn backup_file(backup: &BackupId) -> String {
    format!("{backup}.backup")
}

fn read(file: &Path) -> Result<State, OpenError> {
    let damaged = |error: String| OpenError::Damaged(file.to_owned(), error);
    let text = fs::read(file).map_err(|error| OpenError::Folder(file.to_owned(), error))?;
    let value: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    let version = value.get("version").and_then(serde_json::Value::as_u64).unwrap_or_default();
    match u32::try_from(version) {
        Ok(version) if version > VERSION => Err(OpenError::Version(file.to_owned(), version)),
        Ok(_) | Err(_) => serde_path_to_error::deserialize(value).map_err(|error| damaged(error.to_string())),
    }
}

pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn entries(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
}

/// What stays is found again at the next start.
fn remove(path: &Path) {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    if let Err(error) = removed
        && error.kind() != ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "cannot remove what is deleted");
    }
}
