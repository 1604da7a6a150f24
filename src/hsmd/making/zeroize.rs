//! Zeroizes an HSM: its users, its keys and the owner's certificates are gone, and it waits for an owner again.
//!
//! It keeps its name, its audit log, and what the cluster's maker gave it: hardware certificates, the cluster's key and
//! that of the clone family, as a cluster's HSMs have them before it is initialized. If this is interrupted, doing it
//! again completes it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::init::{InitError, first_history};
use super::pki;
use crate::files::{UnreadableFile, unreadable};
use crate::hsmd::keeping::folder::{
    CA, CERTIFICATE, CSR, Folder, FolderError, HARDWARE_SIGNED, KEY, MASTER, STORE,
};
use crate::hsmd::keeping::private_files::{WriteError, make_private, remove, replace};
use crate::hsmd::keeping::store::StoreError;
use crate::hsmd::keeping::vault::{CryptoFailed, random_key};
use crate::hsmd::serving::clock::Clock;
use crate::wire::certificate::{SUBJECT, parse};
use crate::wire::pem_file::{PemError, load_only};

/// Why an HSM is not zeroized.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum ZeroizeError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("{}: this HSM is running; stop it before you zeroize it", .0.display())]
    Running(PathBuf),
    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    Pem(#[from] PemError),
    #[error(transparent)]
    Unreadable(#[from] UnreadableFile),
    #[error("the CSR cannot be made: {0}")]
    Csr(String),
    #[error(transparent)]
    Crypto(#[from] CryptoFailed),
    #[error("{0}; zeroize the HSM again to complete it")]
    Unwritable(#[from] WriteError),
    #[error("the new store cannot be made: {0}; zeroize the HSM again to complete it")]
    Store(#[from] StoreError),
}

/// An HSM that does not run, and cannot be started as long as this is here.
pub struct Doomed {
    path: PathBuf,
    folder: Folder,
}

impl Doomed {
    /// Opens a folder.
    ///
    /// # Errors
    ///
    /// If it is not an HSM's, or the HSM is running.
    pub fn open(path: &Path) -> Result<Self, ZeroizeError> {
        match Folder::open(path) {
            Ok(folder) => Ok(Self { path: path.to_owned(), folder }),
            Err(FolderError::Store(_, StoreError::InUse)) => Err(ZeroizeError::Running(path.to_owned())),
            Err(error) => Err(error.into()),
        }
    }

    /// What its owner types.
    #[must_use]
    pub fn hsm_id(&self) -> &str {
        &self.folder.hsm.identity().hsm_id
    }

    /// Zeroizes it.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written.
    pub fn zeroize(self) -> Result<(), ZeroizeError> {
        let Self { path, folder: Folder { settings, store, hsm, vault, .. } } = self;
        let file = |name| path.join(name);
        let csr = request(&file(KEY), &file(HARDWARE_SIGNED))?;
        let first = first_history(hsm.identity().clone(), settings.password_hash, &vault)?;
        let (hsm, record) = hsm.zeroized(&first, Clock::default().now());
        let new = file("hsm.redb.new");
        // What an earlier attempt left.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(unreadable(&new)(error).into());
            }
            Ok(()) | Err(_) => {}
        }
        store.create_next(&new, &hsm, &record)?;
        make_private(&new)?;
        // From here on it counts as not initialized: it serves nobody, whatever is still there.
        replace(&file(CSR), csr.as_bytes())?;
        // Without the old key, nobody can decrypt what the file system keeps of the old store.
        overwrite(&file(MASTER)).map_err(unreadable(&file(MASTER)))?;
        replace(&file(MASTER), random_key()?.as_slice())?;
        fs::rename(&new, file(STORE)).map_err(unreadable(&file(STORE)))?;
        drop(store);
        for name in [CERTIFICATE, CA] {
            if file(name).exists() {
                remove(&file(name))?;
            }
        }
        Ok(())
    }
}

/// The request for the cluster's certificate, as the cluster's maker makes it.
fn request(key: &Path, certificate: &Path) -> Result<String, ZeroizeError> {
    let der = load_only(certificate)?;
    let parsed = parse(&der).map_err(|distrust| PemError::Unusable(certificate.to_owned(), distrust))?;
    let name = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    let hsm_id = name.and_then(|name| name.strip_prefix(SUBJECT)?.split(':').next()).unwrap_or_default();
    let key = fs::read_to_string(key).map_err(unreadable(key))?;
    pki::request(&key, hsm_id).map_err(|error| ZeroizeError::Csr(error.to_string()))
}

fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let length = usize::try_from(file.metadata()?.len()).unwrap_or_default();
    file.write_all(&vec![0; length])?;
    file.sync_all()
}
