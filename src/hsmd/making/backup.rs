//! Backups: all of one HSM in one encrypted file, from which a cloned cluster can be made.
//!
//! A backup is `CHSMBAK1`, then its content under AES-256-GCM. The key is in a file of its own, which is made with
//! the first backup that names it. Whoever has both files can make an HSM with all keys and all passwords.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::files::{UnreadableFile, unreadable, without_number};
use crate::hsm::Hsm;
use crate::hsmd::keeping::folder::{
    CA, CERTIFICATE, CSR, FAMILY, FolderError, KEY, MASTER, STORE, hsm_folders, read_settings,
};
use crate::hsmd::keeping::private_files::{WriteError, write_new};
use crate::hsmd::keeping::settings::Settings;
use crate::hsmd::keeping::store::Store;
use crate::hsmd::keeping::vault::{self, CryptoFailed, Family, MasterKey, Vault, random_key};
use crate::hsmd::serving::control::{self, Ask};

/// What a backup holds.
#[derive(Serialize, Deserialize)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Backup {
    /// The HSM as of its last acknowledged change.
    pub hsm: Hsm,
    pub settings: Settings,
    /// Files in its folder that a clone shares, by name: the cluster's key and certificates, the family's key.
    pub files: BTreeMap<String, Zeroizing<Vec<u8>>>,
    /// Encrypts the keys in `hsm`; a clone has a master key of its own.
    master: Zeroizing<Vec<u8>>,
}

/// Why a backup cannot be made or used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum BackupError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("{folder}: the running HSM does not answer: {error}", folder = .0.display(), error = without_number(.1))]
    Running(PathBuf, io::Error),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Unreadable(#[from] UnreadableFile),
    #[error("{}: the cluster is not initialized", .0.display())]
    NotInitialized(PathBuf),
    #[error("{}: not the key of a backup", .0.display())]
    NotAKey(PathBuf),
    /// Or of another release.
    #[error("{}: not a backup of this program", .0.display())]
    NotABackup(PathBuf),
    #[error("{}: the backup is damaged, or {} is not its key", backup.display(), key.display())]
    Sealed { backup: PathBuf, key: PathBuf },
    #[error("{}: the keys in the backup cannot be decrypted", .0.display())]
    Keys(PathBuf),
    #[error(transparent)]
    Crypto(#[from] CryptoFailed),
}

const MAGIC: &[u8; 8] = b"CHSMBAK1";

/// The files that a clone shares with the original.
const SHARED: [&str; 4] = [KEY, CERTIFICATE, CA, FAMILY];

/// The default path of a backup's key.
#[must_use]
pub fn key_file(backup: &Path) -> PathBuf {
    let mut name = backup.as_os_str().to_owned();
    name.push(".key");
    PathBuf::from(name)
}

impl Backup {
    /// Makes the backup of an HSM, running or stopped.
    ///
    /// # Errors
    ///
    /// If the HSM is running and does not answer, or its folder cannot be read.
    pub fn of(folder: &Path) -> Result<Self, BackupError> {
        if hsm_folders(folder)?.as_slice() != [folder] {
            return Err(FolderError::Cluster(folder.to_owned()).into());
        }
        if folder.join(CSR).exists() {
            return Err(BackupError::NotInitialized(folder.to_owned()));
        }
        let running = control::ask::<Hsm>(folder, &Ask::Snapshot);
        let hsm = match running.map_err(|error| BackupError::Running(folder.to_owned(), error))? {
            Some(hsm) => hsm,
            None => {
                let path = folder.join(STORE);
                Store::open_to_read(&path).map_err(|error| FolderError::Store(path, error))?.1
            }
        };
        Self::with(folder, hsm)
    }

    /// Makes the backup of an HSM that is in this state.
    ///
    /// # Errors
    ///
    /// If the cluster is not initialized, or the folder cannot be read.
    pub fn with(folder: &Path, hsm: Hsm) -> Result<Self, BackupError> {
        if folder.join(CSR).exists() {
            return Err(BackupError::NotInitialized(folder.to_owned()));
        }
        let settings = read_settings(folder)?;
        let read = |name: &str| read(&folder.join(name));
        // The CA for clients, if it is in the HSM's folder: a clone's settings name it, too.
        let own =
            settings.client_ca.as_ref().filter(|file| file.is_relative()).and_then(|file| file.to_str());
        let names: BTreeSet<&str> = SHARED.into_iter().chain(own).collect();
        let files = names.into_iter().map(|name| Ok((name.to_owned(), read(name)?)));
        let files = files.collect::<Result<_, BackupError>>()?;
        Ok(Self { hsm, settings, files, master: read(MASTER)? })
    }

    /// Encrypts the backup into a new file, under the key in the other file, which is made if it does not exist.
    ///
    /// # Errors
    ///
    /// If the backup exists already, or a file cannot be written.
    pub fn write(&self, backup: &Path, key: &Path) -> Result<(), BackupError> {
        if backup.exists() {
            return Err(WriteError::Exists(backup.to_owned()).into());
        }
        let secret = read_or_make_key(key)?;
        let plain = Zeroizing::new(postcard::to_stdvec(self).map_err(|_| CryptoFailed)?);
        let sealed = vault::seal_with(&secret, MAGIC, &plain)?;
        // If this fails, the key is kept: another process may just have made a backup with it.
        Ok(write_new(backup, &[MAGIC.as_slice(), &sealed].concat())?)
    }

    /// Reads a backup, and decrypts every key in it to verify that it can be restored.
    ///
    /// # Errors
    ///
    /// If it is not a backup, was altered, or a key in it cannot be decrypted.
    pub fn read(backup: &Path, key: &Path) -> Result<Self, BackupError> {
        let (sealed, secret) = (read(backup)?, read(key)?);
        let sealed = sealed.strip_prefix(MAGIC.as_slice());
        let sealed = sealed.ok_or_else(|| BackupError::NotABackup(backup.to_owned()))?;
        let wrong = || BackupError::Sealed { backup: backup.to_owned(), key: key.to_owned() };
        let secret = master_key(&secret).ok_or_else(|| BackupError::NotAKey(key.to_owned()))?;
        let plain = vault::open_with(&secret, MAGIC, sealed).ok_or_else(wrong)?;
        let content: Self =
            postcard::from_bytes(&plain).map_err(|_| BackupError::NotABackup(backup.to_owned()))?;
        let unusable = || BackupError::Keys(backup.to_owned());
        let vault = content.vault().ok_or_else(unusable)?;
        content
            .hsm
            .rewrapped(|material| vault.value(material).map(|_| material.clone()))
            .map_err(|_| unusable())?;
        Ok(content)
    }

    /// The HSM with its keys encrypted under another master key.
    ///
    /// # Errors
    ///
    /// If a key cannot be decrypted.
    pub fn hsm_under(&self, master: &MasterKey) -> Result<Hsm, CryptoFailed> {
        let family = self.family().ok_or(CryptoFailed)?;
        let (from, to) = (self.vault().ok_or(CryptoFailed)?, Vault::new(master, &family)?);
        self.hsm.rewrapped(|material| to.keep(&from.value(material)?))
    }

    fn family(&self) -> Option<Family> {
        Family::from_bytes(self.files.get(FAMILY)?)
    }

    fn vault(&self) -> Option<Vault> {
        Vault::new(&master_key(&self.master)?, &self.family()?).ok()
    }
}

/// The backup key. It is made on first use; if several backups race, all use the one that was made first.
fn read_or_make_key(path: &Path) -> Result<MasterKey, BackupError> {
    if !path.exists() {
        match write_new(path, random_key()?.as_slice()) {
            Ok(()) | Err(WriteError::Exists(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    master_key(&read(path)?).ok_or_else(|| BackupError::NotAKey(path.to_owned()))
}

/// Reads from a pipe, too: a backup may come straight from another program.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, UnreadableFile> {
    fs::read(path).map(Zeroizing::new).map_err(unreadable(path))
}

fn master_key(bytes: &[u8]) -> Option<MasterKey> {
    <[u8; 32]>::try_from(bytes).ok().map(Zeroizing::new)
}
