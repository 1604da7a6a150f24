//! The files in an HSM's folder and in a cluster's, and opening an HSM's folder.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::settings::Settings;
use super::store::{Store, StoreError};
use super::vault::{Family, Vault};
use crate::files::{self, UnreadableFile, unreadable};
use crate::hsm::{Certificates, Hsm, OwnerCertificates};
use crate::protocol::certificate::Certificate;
use crate::wire::anchor::{Anchor, AnchorError};
use crate::wire::certificate;
use crate::wire::pem_file::{self, PemError};

/// In an HSM's folder: [`Settings`].
pub const SETTINGS: &str = "hsmd.json";
/// In an HSM's folder: the [`Store`].
pub const STORE: &str = "hsm.redb";
/// In an HSM's folder: the cluster's private key.
pub const KEY: &str = "cluster.key";
/// In an HSM's folder: the cluster's certificate, signed by the owner's CA.
pub const CERTIFICATE: &str = "cluster.crt";
/// In an HSM's folder: its own master key, which encrypts the keys in the store.
pub const MASTER: &str = "master.key";
/// In an HSM's folder: the id and the masking key of its clone family.
pub const FAMILY: &str = "family.key";
/// In an HSM's folder, only until the cluster is initialized: the request for [`CERTIFICATE`].
pub const CSR: &str = "cluster.csr";
/// In an HSM's folder: the CA of the cluster's maker.
pub const MANUFACTURER_ROOT: &str = "manufacturerRoot.crt";
/// In an HSM's folder: the certificate of its hardware, signed by [`MANUFACTURER_ROOT`].
pub const HARDWARE: &str = "hardware.crt";
/// In an HSM's folder: the cluster's certificate, signed by [`HARDWARE`].
pub const HARDWARE_SIGNED: &str = "cluster.hardware.crt";
/// In an HSM's and in a cluster's folder: the owner's CA certificate.
pub const CA: &str = "customerCA.crt";
/// In a cluster's folder: the console's configuration.
pub const CONFIG: &str = "cloudhsm_mgmt_util.cfg";

/// Larger than any of these files but the store.
const MAX_FILE: u64 = 1024 * 1024;

/// An HSM's folder, opened: no other process has it open.
#[expect(missing_docs, reason = "the types say it")]
pub struct Folder {
    pub settings: Settings,
    /// Its history.
    pub store: Store,
    /// Its state, as the history gives it.
    pub hsm: Hsm,
    /// The cluster's private key.
    pub key: PrivateKeyDer<'static>,
    pub certificates: Certificates,
    pub vault: Vault,
}

/// Why a folder is not an HSM's or a cluster's. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum FolderError {
    #[error("{}: no such folder; make one with `hsmd init` or `hsmd cluster init`", .0.display())]
    Missing(PathBuf),
    /// It is not a folder, or it or a file in it is not readable.
    #[error(transparent)]
    Unreadable(#[from] UnreadableFile),
    #[error("{}: neither an HSM's folder (no {SETTINGS}) nor a cluster's (no hsm0)", .0.display())]
    Foreign(PathBuf),
    #[error("{}: a cluster's folder; name an HSM's folder in it, such as hsm0", .0.display())]
    Cluster(PathBuf),
    #[error("{folder}: incomplete: {1} is missing", folder = .0.display())]
    HalfMade(PathBuf, String),
    #[error("{path}: accessible by other users (mode {1:03o}); run `chmod go= {path}`", path = .0.display())]
    Open(PathBuf, u32),
    /// `hsmd.json` is wrong; the message has the path of the key.
    #[error("{path}: {1}", path = .0.display())]
    Settings(PathBuf, String),
    #[error("{path}: {1}", path = .0.display())]
    Store(PathBuf, StoreError),
    /// A file of secrets has the wrong size.
    #[error("{}: not a key file of this program", .0.display())]
    BadKey(PathBuf),
    #[error(transparent)]
    Pem(#[from] PemError),
    #[error(transparent)]
    Anchor(#[from] AnchorError),
}

/// The HSM folders in a folder: itself if it is one, or a cluster's in the order of their numbers.
///
/// # Errors
///
/// If it is neither, or one of a cluster's folders is missing.
pub fn hsm_folders(path: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let entries = fs::read_dir(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => FolderError::Missing(path.to_owned()),
        _ => unreadable(path)(source).into(),
    })?;
    if path.join(SETTINGS).exists() {
        return Ok(vec![path.to_owned()]);
    }
    let count = entries.flatten().filter(|entry| is_hsm_folder(&entry.file_name().to_string_lossy())).count();
    if count == 0 && [STORE, KEY, CERTIFICATE].iter().any(|name| path.join(name).exists()) {
        return Err(FolderError::HalfMade(path.to_owned(), SETTINGS.to_owned()));
    }
    if count == 0 {
        return Err(FolderError::Foreign(path.to_owned()));
    }
    let folders: Vec<PathBuf> = (0..count).map(|node| path.join(format!("hsm{node}"))).collect();
    let first = folders.first().filter(|first| first.is_dir());
    let expected = match first {
        Some(first) => read_settings(first)?.members.len(),
        None => count,
    };
    let whole = (0..count.max(expected)).map(|node| format!("hsm{node}"));
    match whole.into_iter().find(|name| !path.join(name).is_dir()) {
        Some(missing) => Err(FolderError::HalfMade(path.to_owned(), missing)),
        None => Ok(folders),
    }
}

impl Folder {
    /// Opens an HSM's folder.
    ///
    /// # Errors
    ///
    /// If a file in it is missing, unreadable or not private, or another process has the store open.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        Self::open_with(path, Store::open)
    }

    /// As [`open`](Self::open), and even if the store cannot be written.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn open_to_read(path: &Path) -> Result<Self, FolderError> {
        Self::open_with(path, Store::open_to_read)
    }

    fn open_with(
        path: &Path,
        open: impl FnOnce(&Path) -> Result<(Store, Hsm), StoreError>,
    ) -> Result<Self, FolderError> {
        if hsm_folders(path)?.as_slice() != [path] {
            return Err(FolderError::Cluster(path.to_owned()));
        }
        must_be_private(path)?;
        must_hold(path, &[SETTINGS, STORE, KEY, MASTER, FAMILY])?;
        must_hold(path, &[MANUFACTURER_ROOT, HARDWARE, HARDWARE_SIGNED])?;
        let settings = read_settings(path)?;
        let key = pem_file::load_key(&path.join(KEY))?;
        let certificates = read_certificates(path)?;
        let vault = open_vault(path)?;
        let file = path.join(STORE);
        let (store, hsm) = open(&file).map_err(|error| FolderError::Store(file, error))?;
        Ok(Self { settings, store, hsm, key, certificates, vault })
    }
}

fn open_vault(folder: &Path) -> Result<Vault, FolderError> {
    let read = |name| {
        let path = folder.join(name);
        files::read(&path, MAX_FILE).map(Zeroizing::new).map_err(unreadable(&path))
    };
    let bad = |name| FolderError::BadKey(folder.join(name));
    let (master, family) = (read(MASTER)?, read(FAMILY)?);
    let master = <[u8; 32]>::try_from(master.as_slice()).map_err(|_| bad(MASTER))?;
    let family = Family::from_bytes(&family).ok_or_else(|| bad(FAMILY))?;
    Vault::new(&Zeroizing::new(master), &family).map_err(|_| bad(MASTER))
}

fn read_certificates(folder: &Path) -> Result<Certificates, FolderError> {
    let owner = if folder.join(CSR).exists() { None } else { Some(read_owner(folder)?) };
    Ok(Certificates {
        manufacturer_root: read_certificate(&folder.join(MANUFACTURER_ROOT))?,
        hardware: read_certificate(&folder.join(HARDWARE))?,
        cluster_by_hardware: read_certificate(&folder.join(HARDWARE_SIGNED))?,
        owner,
    })
}

fn read_owner(folder: &Path) -> Result<OwnerCertificates, FolderError> {
    must_hold(folder, &[CERTIFICATE, CA])?;
    let root = Anchor::load(&folder.join(CA))?;
    let cluster = read_certificate(&folder.join(CERTIFICATE))?;
    Ok(OwnerCertificates { root: Certificate(root.der().to_vec()), cluster })
}

fn read_certificate(path: &Path) -> Result<Certificate, FolderError> {
    let chain = pem_file::load_chain(path)?;
    let der: &[u8] = chain.first().map(CertificateDer::as_ref).unwrap_or_default();
    certificate::parse(der).map_err(|distrust| PemError::Unusable(path.to_owned(), distrust))?;
    Ok(Certificate(der.to_vec()))
}

fn is_hsm_folder(name: &str) -> bool {
    name.strip_prefix("hsm").is_some_and(|number| number.parse::<u32>().is_ok())
}

/// Reads an HSM's `hsmd.json`.
///
/// # Errors
///
/// If it is missing, not a file, or wrong.
pub fn read_settings(folder: &Path) -> Result<Settings, FolderError> {
    let path = folder.join(SETTINGS);
    let text = files::read(&path, MAX_FILE).map_err(unreadable(&path)).map_err(|error| {
        if error.is_missing() {
            FolderError::HalfMade(folder.to_owned(), SETTINGS.to_owned())
        } else {
            error.into()
        }
    })?;
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(&text))
        .map_err(|error| FolderError::Settings(path, error.to_string()))
}

/// Checks that files exist and that only their owner may read them.
fn must_hold(folder: &Path, names: &[&str]) -> Result<(), FolderError> {
    for name in names {
        let file = folder.join(name);
        if !file.exists() {
            return Err(FolderError::HalfMade(folder.to_owned(), (*name).to_owned()));
        }
        must_be_private(&file)?;
    }
    Ok(())
}

fn must_be_private(path: &Path) -> Result<(), FolderError> {
    let metadata = fs::metadata(path).map_err(unreadable(path))?;
    let mode = metadata.permissions().mode() & 0o777;
    // A folder restored or copied with the wrong mode would hand out every key without anybody noticing.
    if mode & 0o077 == 0 { Ok(()) } else { Err(FolderError::Open(path.to_owned(), mode)) }
}
