//! Initializing a cluster: installing what its owner's CA made of the CSR.
//!
//! Everything is checked first, with every HSM's store held, so that none runs meanwhile. Then each folder gets
//! both certificates, which count for nothing as long as its CSR is there, and then the CSRs go. Whoever was
//! interrupted does it again: folders without CSR are left alone if they hold the same certificates.

mod signed;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::folder::{CA, CERTIFICATE, CSR, Folder, FolderError, hsm_folders};
use super::store::StoreError;
use crate::hsm::OwnerCertificates;
use crate::protocol::certificate::Certificate;
use crate::wire::anchor::{Anchor, AnchorError};
use crate::wire::certificate::Distrust;
use crate::wire::identity::IdentityError;

pub use signed::Signed;

/// Why a cluster was not initialized. Unless said otherwise, nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum InitializeError {
    /// The folder is not a cluster's.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// An HSM runs, and would not notice.
    #[error("{}: an hsmd serves this HSM; stop it before the cluster is initialized", .0.display())]
    Running(PathBuf),
    /// There is nothing to do.
    #[error("{}: the cluster is initialized already", .0.display())]
    Already(PathBuf),
    /// One of its HSMs is initialized: perhaps somebody was interrupted, and these are not the same files.
    #[error("{}: initialized already, with other certificates; the rest of the cluster needs the same", .0.display())]
    AlreadyOtherwise(PathBuf),
    /// Consoles would trust another CA.
    #[error("{}: is there and is not the trust anchor; the console's configuration names it", .0.display())]
    OtherConsoleCa(PathBuf),
    /// One of the two files cannot be read.
    #[error(transparent)]
    File(#[from] IdentityError),
    /// Which one is meant?
    #[error("{}: {count} certificates in the file, one expected", path.display())]
    Several {
        /// Of the file.
        path: PathBuf,
        /// How many there are.
        count: usize,
    },
    /// One of the two certificates cannot be read, or is over.
    #[error("{}: {source}", path.display())]
    Certificate {
        /// Of the file.
        path: PathBuf,
        /// What is wrong with it.
        source: Distrust,
    },
    /// The guide's trust anchors are of two kinds.
    #[error("{}: the trust anchor's key is {found}; it must be RSA-2048 or RSA-4096", path.display())]
    AnchorKey {
        /// Of the file.
        path: PathBuf,
        /// What kind of key it is.
        found: String,
    },
    /// The trust anchor does not sign itself.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// The trust anchor says of itself that it may not sign certificates.
    #[error("{}: not a CA certificate, its extensions do not let it sign others", .0.display())]
    NotACa(PathBuf),
    /// The certificate was made of something else than this cluster's CSR.
    #[error("{}: not about the cluster's key; it must be made of this cluster's CSR", .0.display())]
    OtherKey(PathBuf),
    /// Another CA made the certificate, or it is not good for a cluster.
    #[error("{}: not vouched for by {}: {source}", certificate.display(), trust_anchor.display())]
    NotEndorsed {
        /// The cluster's certificate.
        certificate: PathBuf,
        /// The CA.
        trust_anchor: PathBuf,
        /// What is wrong.
        source: Distrust,
    },
    /// A file could not be replaced or removed; some HSMs may be initialized. Doing it again completes it.
    #[error("{}: {source}; initialize the cluster again to complete it", path.display())]
    Unwritable {
        /// Of the file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// An HSM that nobody runs.
struct Held {
    path: PathBuf,
    folder: Folder,
}

/// Makes a stopped cluster, or the one HSM of a folder, its owner's.
///
/// # Errors
///
/// Why not, if the files are not what the cluster's CSR asked for.
pub fn initialize(dir: &Path, signed: &Signed) -> Result<(), InitializeError> {
    let hsms: Vec<Held> = hsm_folders(dir)?.into_iter().map(hold).collect::<Result<_, _>>()?;
    let waiting: Vec<&Held> = hsms.iter().filter(|hsm| hsm.folder.certificates.owner.is_none()).collect();
    // HSMs that were initialized one by one have left the console without its CA.
    if waiting.is_empty() && dir.join(CA).exists() {
        return Err(InitializeError::Already(dir.to_owned()));
    }
    let owner = signed.read(&hsms)?;
    let consoles = consoles_ca(dir, &hsms, &owner)?;
    for hsm in &waiting {
        replace(&hsm.path, CA, &owner.root)?;
        replace(&hsm.path, CERTIFICATE, &owner.cluster)?;
    }
    if let Some(folder) = consoles {
        replace(folder, CA, &owner.root)?;
    }
    waiting.iter().try_for_each(|hsm| remove_csr(&hsm.path))
}

fn hold(path: PathBuf) -> Result<Held, InitializeError> {
    match Folder::open(&path) {
        Ok(folder) => Ok(Held { path, folder }),
        Err(FolderError::Store { source: StoreError::InUse, .. }) => Err(InitializeError::Running(path)),
        Err(error) => Err(error.into()),
    }
}

/// The folder to which the console's configuration refers, if the CA has to be put there. An HSM's folder that
/// is a cluster of its own has it already.
fn consoles_ca<'a>(
    dir: &'a Path,
    hsms: &[Held],
    owner: &OwnerCertificates,
) -> Result<Option<&'a Path>, InitializeError> {
    let path = dir.join(CA);
    match (hsms.iter().any(|hsm| hsm.path == dir), Anchor::load(&path)) {
        (true, _) => Ok(None),
        (false, Err(AnchorError::Missing(_))) => Ok(Some(dir)),
        (false, Ok(anchor)) if anchor.der() == owner.root.0 => Ok(None),
        (false, Ok(_) | Err(_)) => Err(InitializeError::OtherConsoleCa(path)),
    }
}

/// Writes a file beside its place and renames it there. What else the owner's file held, stays out.
fn replace(folder: &Path, name: &str, certificate: &Certificate) -> Result<(), InitializeError> {
    let path = folder.join(name);
    let write = || {
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(certificate.pem().as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        sync(folder)
    };
    write().map_err(|source| InitializeError::Unwritable { path: path.clone(), source })
}

/// From here on the HSM is initialized.
fn remove_csr(folder: &Path) -> Result<(), InitializeError> {
    let path = folder.join(CSR);
    let removed = fs::remove_file(&path).and_then(|()| sync(folder));
    removed.map_err(|source| InitializeError::Unwritable { path, source })
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
