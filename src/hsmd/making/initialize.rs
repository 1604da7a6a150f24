//! Initializing a cluster: installing what its owner's CA made of the CSR.
//!
//! Everything is checked first, with every HSM's store held, so that none runs meanwhile. Then each folder gets
//! both certificates, which count for nothing as long as its CSR is there, and then the CSRs go. Whoever was
//! interrupted does it again: folders without CSR are left alone if they hold the same certificates.

mod signed;

use std::path::{Path, PathBuf};

use crate::hsm::OwnerCertificates;
use crate::hsmd::keeping::folder::{CA, CERTIFICATE, CSR, Folder, FolderError, hsm_folders};
use crate::hsmd::keeping::private_files::{WriteError, remove, replace};
use crate::hsmd::keeping::store::StoreError;
use crate::wire::anchor::{Anchor, AnchorError};
use crate::wire::certificate::Distrust;
use crate::wire::pem_file::PemError;

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
    /// One of the two files does not hold one certificate, or one that is over.
    #[error(transparent)]
    File(#[from] PemError),
    /// The guide's trust anchors are of two kinds.
    #[error("{path}: the trust anchor's key is {1}; it must be RSA-2048 or RSA-4096", path = .0.display())]
    AnchorKey(PathBuf, String),
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
    #[expect(missing_docs, reason = "the names say it")]
    NotEndorsed { certificate: PathBuf, trust_anchor: PathBuf, source: Distrust },
    /// A file could not be replaced or removed; some HSMs may be initialized. Doing it again completes it.
    #[error("{0}; initialize the cluster again to complete it")]
    Unwritable(#[from] WriteError),
}

/// An HSM that nobody runs.
struct StoppedHsm {
    path: PathBuf,
    folder: Folder,
}

/// Makes a stopped cluster, or the one HSM of a folder, its owner's.
///
/// # Errors
///
/// Why not, if the files are not what the cluster's CSR asked for.
pub fn initialize(dir: &Path, signed: &Signed) -> Result<(), InitializeError> {
    let hsms: Vec<StoppedHsm> = hsm_folders(dir)?.into_iter().map(hold).collect::<Result<_, _>>()?;
    let waiting: Vec<&StoppedHsm> =
        hsms.iter().filter(|hsm| hsm.folder.certificates.owner.is_none()).collect();
    // HSMs that were initialized one by one have left the console without its CA.
    if waiting.is_empty() && dir.join(CA).exists() {
        return Err(InitializeError::Already(dir.to_owned()));
    }
    let owner = signed.read(&hsms)?;
    let consoles = consoles_ca(dir, &hsms, &owner)?;
    for hsm in &waiting {
        replace(&hsm.path.join(CA), owner.root.pem().as_bytes())?;
        replace(&hsm.path.join(CERTIFICATE), owner.cluster.pem().as_bytes())?;
    }
    if let Some(folder) = consoles {
        replace(&folder.join(CA), owner.root.pem().as_bytes())?;
    }
    // An HSM without its CSR is initialized.
    Ok(waiting.iter().try_for_each(|hsm| remove(&hsm.path.join(CSR)))?)
}

fn hold(path: PathBuf) -> Result<StoppedHsm, InitializeError> {
    match Folder::open(&path) {
        Ok(folder) => Ok(StoppedHsm { path, folder }),
        Err(FolderError::Store(_, StoreError::InUse)) => Err(InitializeError::Running(path)),
        Err(error) => Err(error.into()),
    }
}

/// The folder to which the console's configuration refers, if the CA has to be put there. An HSM's folder that
/// is a cluster of its own has it already.
fn consoles_ca<'a>(
    dir: &'a Path,
    hsms: &[StoppedHsm],
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
