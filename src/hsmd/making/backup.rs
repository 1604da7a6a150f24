//! Backups: everything of one HSM in one encrypted file, from which a cloned cluster can be made.
//!
//! A backup is `CHSMBAK1`, then AES-256-GCM of its content. The key is in a file of its own, made with the first
//! backup that names it: who has both can make an HSM that holds all keys and takes all passwords.

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
use crate::hsmd::serving::control;

/// What a backup holds.
#[derive(Serialize, Deserialize)]
pub struct Backup {
    /// The HSM as of its last acknowledged change.
    pub hsm: Hsm,
    /// How it was set up.
    pub settings: Settings,
    /// The files of its folder that a clone shares, by name: the cluster's key and certificates, the family's key.
    pub files: BTreeMap<String, Zeroizing<Vec<u8>>>,
    /// Under which its keys are wrapped; a clone has its own.
    master: Zeroizing<Vec<u8>>,
}

/// Why there is no backup, or none that can be used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The HSM's folder is not as it should be.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The running HSM did not answer.
    #[error("{folder}: the running HSM does not answer: {error}", folder = .0.display(), error = without_number(.1))]
    Running(PathBuf, io::Error),
    /// A file cannot be written, or would be overwritten.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] UnreadableFile),
    /// There is nothing to back up before a cluster has its owner.
    #[error("{}: the cluster is not initialized", .0.display())]
    NotInitialized(PathBuf),
    /// It is something else.
    #[error("{}: not the key of a backup", .0.display())]
    NotAKey(PathBuf),
    /// It is something else, or of another release.
    #[error("{}: not a backup of this program", .0.display())]
    NotABackup(PathBuf),
    /// It was altered or cut, or the key is another's.
    #[error("{}: the backup is damaged, or {} is not its key", backup.display(), key.display())]
    #[expect(missing_docs, reason = "the names say it")]
    Sealed { backup: PathBuf, key: PathBuf },
    /// Its keys cannot be unwrapped.
    #[error("{}: the backup's keys do not open", .0.display())]
    Keys(PathBuf),
    /// The library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoFailed),
}

const MAGIC: &[u8; 8] = b"CHSMBAK1";

/// The files that a clone shares with the HSM it was made from.
const SHARED: [&str; 4] = [KEY, CERTIFICATE, CA, FAMILY];

/// Where a backup's key is if nobody says.
#[must_use]
pub fn key_file(backup: &Path) -> PathBuf {
    let mut name = backup.as_os_str().to_owned();
    name.push(".key");
    PathBuf::from(name)
}

impl Backup {
    /// The backup of an HSM, running or stopped.
    ///
    /// # Errors
    ///
    /// If it runs and does not answer, or its folder cannot be read.
    pub fn of(folder: &Path) -> Result<Self, BackupError> {
        if hsm_folders(folder)?.as_slice() != [folder] {
            return Err(FolderError::Cluster(folder.to_owned()).into());
        }
        if folder.join(CSR).exists() {
            return Err(BackupError::NotInitialized(folder.to_owned()));
        }
        let settings = read_settings(folder)?;
        let running = control::ask(folder);
        let hsm = match running.map_err(|error| BackupError::Running(folder.to_owned(), error))? {
            Some(hsm) => hsm,
            None => {
                let path = folder.join(STORE);
                Store::open(&path).map_err(|error| FolderError::Store(path, error))?.1
            }
        };
        let read = |name: &str| read(&folder.join(name));
        // A file of the owner's that the settings name, if it is in the folder.
        let own =
            settings.client_ca.as_ref().filter(|file| file.is_relative()).and_then(|file| file.to_str());
        let names: BTreeSet<&str> = SHARED.into_iter().chain(own).collect();
        let files = names.into_iter().map(|name| Ok((name.to_owned(), read(name)?)));
        let files = files.collect::<Result<_, BackupError>>()?;
        Ok(Self { hsm, settings, files, master: read(MASTER)? })
    }

    /// Writes the backup, encrypted, to a new file, and its key to another if that is not there yet.
    ///
    /// # Errors
    ///
    /// If a file is in the way or cannot be written.
    pub fn write(&self, backup: &Path, key: &Path) -> Result<(), BackupError> {
        if backup.exists() {
            return Err(WriteError::Exists(backup.to_owned()).into());
        }
        let secret = read_or_make_key(key)?;
        let plain = Zeroizing::new(postcard::to_stdvec(self).map_err(|_| CryptoFailed)?);
        let sealed = vault::seal_with(&secret, MAGIC, &plain)?;
        // The key stays even if this fails: it may be the key of a backup that another process just made.
        Ok(write_new(backup, &[MAGIC.as_slice(), &sealed].concat())?)
    }

    /// Reads a backup and tries all its keys.
    ///
    /// # Errors
    ///
    /// If it is not one, was altered, or its keys do not open.
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

    /// The HSM with its keys under another master key.
    ///
    /// # Errors
    ///
    /// If a key does not open.
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

/// The key of a file. It is made if it is not there, and whoever makes it first, all have the same.
fn read_or_make_key(path: &Path) -> Result<MasterKey, BackupError> {
    if !path.exists() {
        match write_new(path, random_key()?.as_slice()) {
            Ok(()) | Err(WriteError::Exists(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    master_key(&read(path)?).ok_or_else(|| BackupError::NotAKey(path.to_owned()))
}

/// Takes a pipe, too: a backup may come straight out of another program.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, UnreadableFile> {
    fs::read(path).map(Zeroizing::new).map_err(unreadable(path))
}

fn master_key(bytes: &[u8]) -> Option<MasterKey> {
    <[u8; 32]>::try_from(bytes).ok().map(Zeroizing::new)
}
