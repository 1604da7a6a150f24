//! Initializes a cluster: installs the certificate that its owner's CA made from the CSR.
//!
//! First everything is checked, with every HSM's store open, so that none can run meanwhile. Then each folder gets
//! both certificates, which do not count as long as its CSR is there, and last the CSRs are removed. If this is
//! interrupted, doing it again completes it: a folder without a CSR is left alone if it has the same certificates.

mod signed;

use std::path::{Path, PathBuf};

use crate::hsm::OwnerCertificates;
use crate::hsmd::keeping::folder::{CA, CERTIFICATE, CSR, Folder, FolderError, hsm_folders};
use crate::hsmd::keeping::private_files::{WriteError, remove, replace};
use crate::hsmd::keeping::store::StoreError;
use crate::wire::anchor::{Anchor, AnchorError};
use crate::wire::certificate::Distrust;
use crate::wire::pem_file::PemError;

pub use signed::{Given, Signed, Source};

/// Why a cluster was not initialized. Nothing was changed, except in the case of
/// [`Unwritable`](Self::Unwritable).
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum InitializeError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// An HSM reads its certificates only at its start.
    #[error("{}: this HSM is running; stop it before you initialize the cluster", .0.display())]
    Running(PathBuf),
    #[error("{}: the cluster is already initialized", .0.display())]
    Already(PathBuf),
    /// Perhaps an earlier initialization was interrupted, and these are not the same files.
    #[error("{}: already initialized with other certificates; the rest of the cluster needs the same", .0.display())]
    AlreadyOtherwise(PathBuf),
    /// Consoles would trust another CA.
    #[error("{}: exists and is not the trust anchor; the console's configuration refers to it", .0.display())]
    OtherConsoleCa(PathBuf),
    /// One of the two files does not hold exactly one valid certificate.
    #[error(transparent)]
    File(#[from] PemError),
    /// The guide allows these two.
    #[error("{path}: the trust anchor's key is {1}; it must be RSA-2048 or RSA-4096", path = .0.display())]
    AnchorKey(PathBuf, String),
    /// The trust anchor is not self-signed.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    #[error("{}: not a CA certificate: its extensions do not allow it to sign certificates", .0.display())]
    NotACa(PathBuf),
    #[error("{}: not for the cluster's key; it must be made from this cluster's CSR", .0.display())]
    OtherKey(PathBuf),
    #[error("{}: not vouched for by {}: {source}", certificate.display(), trust_anchor.display())]
    NotEndorsed { certificate: PathBuf, trust_anchor: PathBuf, source: Distrust },
    /// Some HSMs may be initialized.
    #[error("{0}; initialize the cluster again to complete it")]
    Unwritable(#[from] WriteError),
}

/// An HSM that is not running, as its store is open here.
struct StoppedHsm {
    path: PathBuf,
    folder: Folder,
}

/// Initializes a stopped cluster, or the one HSM of a folder.
///
/// # Errors
///
/// If an HSM is running, or the files are not what the cluster's CSR asked for.
pub fn initialize(dir: &Path, signed: &Signed) -> Result<(), InitializeError> {
    let hsms: Vec<StoppedHsm> = hsm_folders(dir)?.into_iter().map(hold).collect::<Result<_, _>>()?;
    let waiting: Vec<&StoppedHsm> =
        hsms.iter().filter(|hsm| hsm.folder.certificates.owner.is_none()).collect();
    // If the HSMs were initialized one by one, the console still lacks its CA.
    if waiting.is_empty() && dir.join(CA).exists() {
        return Err(InitializeError::Already(dir.to_owned()));
    }
    let owner = signed.check_all(&hsms)?;
    let consoles = consoles_ca(dir, &hsms, &owner)?;
    for hsm in &waiting {
        replace(&hsm.path.join(CA), owner.root.pem().as_bytes())?;
        replace(&hsm.path.join(CERTIFICATE), owner.cluster.pem().as_bytes())?;
    }
    if let Some(folder) = consoles {
        replace(&folder.join(CA), owner.root.pem().as_bytes())?;
    }
    // Last, as an HSM without its CSR counts as initialized: until then it ignores what was written above.
    Ok(waiting.iter().try_for_each(|hsm| remove(&hsm.path.join(CSR)))?)
}

fn hold(path: PathBuf) -> Result<StoppedHsm, InitializeError> {
    match Folder::open(&path) {
        Ok(folder) => Ok(StoppedHsm { path, folder }),
        Err(FolderError::Store(_, StoreError::InUse)) => Err(InitializeError::Running(path)),
        Err(error) => Err(error.into()),
    }
}

/// The folder where the console's configuration expects the CA, if it has to be written there. If `dir` is an HSM's
/// folder, it gets the CA with the HSM's files.
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
