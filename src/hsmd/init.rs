//! Making HSMs: the only way an HSM comes to be.
//!
//! A folder is made beside its place and renamed there when it is whole, so that no half-made one is ever found.

use std::fs::{self, Permissions};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use serde::Serialize;

use super::folder::{
    CA, CERTIFICATE, CONFIG, CSR, FAMILY, HARDWARE, HARDWARE_SIGNED, KEY, MANUFACTURER_ROOT, MASTER,
    SETTINGS, STORE,
};
use super::password::{BadCost, Hasher};
use super::pki::{ClusterPki, Hardware, OwnerPki};
use super::settings::{HashCost, Settings};
use super::store::{Store, StoreError};
use super::vault::{Family, random_key};
use crate::config::{Config, ServerConfig};
use crate::hsm::{Event, FIRST_PASSWORD, Identity, PasswordHash, User, UserName};
use crate::protocol::device::Member;
use crate::protocol::user::{UserId, UserType};
use crate::protocol::{Refusal, Secret};

/// The most HSMs of a cluster.
pub const MAX_NODES: u32 = 32;

/// In a cluster's folder: where the CA's private key is kept apart from what the HSMs and the console need.
const CA_KEY_FOLDER: &str = "owner";

/// A cluster to be.
pub struct NewCluster {
    /// 1 to [`MAX_NODES`].
    pub nodes: u32,
    /// The HSMs get the addresses that follow this one.
    pub net: Ipv4Addr,
    /// The same for all.
    pub port: u16,
    /// How the HSMs get their ids.
    pub names: Names,
    /// How passwords are hashed.
    pub password_hash: HashCost,
    /// Who vouches for the cluster's key.
    pub owner: Owner,
}

/// Who has the CA that vouches for a cluster's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Who makes the cluster: the CA is made with it, and its key kept in `owner`, in its folder.
    MadeHere,
    /// Who signs the cluster's CSR. Until what was signed is installed, the cluster is not initialized.
    SignsCsr,
}

/// How HSMs are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// As no other HSM in the world.
    Random,
    /// By their node ids: the same in every development cluster.
    Numbered,
}

/// Why there is no new HSM.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Something is there.
    #[error("{}: exists and is not empty; an HSM is only made in a new folder", .0.display())]
    Exists(PathBuf),
    /// A file or folder could not be made.
    #[error("{}: {source}", path.display())]
    Unwritable {
        /// Of the file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Too few or too many HSMs.
    #[error("a cluster has 1 to {MAX_NODES} HSMs, not {0}")]
    Nodes(u32),
    /// The handles of such a node would not be numbers of 32 bits.
    #[error("{0}: too high for a node id")]
    FirstNode(u32),
    /// Two HSMs of a clone family would give the same handle to different keys.
    #[error("node {0} is one of the original cluster's; take a first node from {1} on")]
    NodeTaken(u32, u32),
    /// There are not so many addresses.
    #[error("{0}: too few IPv4 addresses follow")]
    Net(Ipv4Addr),
    /// No random number, or no key.
    #[error("no key could be made: {0}")]
    Key(String),
    /// The store could not be made.
    #[error("the store could not be made: {0}")]
    Store(#[from] StoreError),
    /// The hash parameters are wrong.
    #[error(transparent)]
    Cost(#[from] BadCost),
    /// One of the first users could not be made.
    #[error("the first users could not be made: {}", .0.text())]
    Users(Refusal),
}

/// Makes a cluster's folder: an HSM folder for each node, the console's configuration, and the owner's CA or
/// what the owner needs to sign. Returns where the CSR is, if there is one.
///
/// # Errors
///
/// If that is not possible; then nothing is left at `dir`.
pub fn cluster(dir: &Path, new: &NewCluster) -> Result<Option<PathBuf>, InitError> {
    if !(1..=MAX_NODES).contains(&new.nodes) {
        return Err(InitError::Nodes(new.nodes));
    }
    let members = members(new)?;
    let hsms = members.iter().map(|member| identity(new.names, member.node_id));
    let hsms: Vec<Identity> = hsms.collect::<Result<_, _>>()?;
    let pki = make_pki(&hsms, new.owner)?;
    whole_or_not_at_all(dir, |work, place| {
        let family = new_family()?;
        for ((member, identity), hardware) in members.iter().zip(&hsms).zip(&pki.hardware) {
            let folder = work.join(format!("hsm{}", member.node_id));
            make_folder(&folder)?;
            let hsm = NewHsm { listen: listen_address(member)?, identity, hardware };
            fill(&folder, &hsm, &members, new, &pki, &family)?;
        }
        write_json(&work.join(CONFIG), &config(&members, place))?;
        match &pki.owner {
            OwnerPki::Ca { ca, ca_key, .. } => {
                write(&work.join(CA), ca.as_bytes())?;
                keep_ca_key(work, ca_key)
            }
            OwnerPki::Csr(csr) => write_for_owner(work, &hsms, csr, &pki),
        }
    })?;
    Ok(match new.owner {
        Owner::MadeHere => None,
        Owner::SignsCsr => Some(dir.join(file_for_owner(&hsms, OWNERS_CSR))),
    })
}

/// Makes the folder of a cluster of one HSM: folder, CA and configuration in one.
///
/// # Errors
///
/// As [`cluster`].
pub fn hsm(dir: &Path, listen: SocketAddr, node_id: u32, password_hash: HashCost) -> Result<(), InitError> {
    let members = [Member { node_id, hostname: listen.ip().to_string(), port: listen.port() }];
    let new = NewCluster {
        nodes: 1,
        net: Ipv4Addr::LOCALHOST,
        port: listen.port(),
        names: Names::Random,
        password_hash,
        owner: Owner::MadeHere,
    };
    let identity = identity(new.names, node_id)?;
    let pki = make_pki(std::slice::from_ref(&identity), new.owner)?;
    whole_or_not_at_all(dir, |work, place| {
        if let (Some(hardware), OwnerPki::Ca { ca_key, .. }) = (pki.hardware.first(), &pki.owner) {
            fill(
                work,
                &NewHsm { listen, identity: &identity, hardware },
                &members,
                &new,
                &pki,
                &new_family()?,
            )?;
            keep_ca_key(work, ca_key)?;
        }
        write_json(&work.join(CONFIG), &config(&members, place))
    })
}

/// What distinguishes an HSM from the others of its cluster.
struct NewHsm<'a> {
    listen: SocketAddr,
    identity: &'a Identity,
    hardware: &'a Hardware,
}

pub(super) fn members(new: &NewCluster) -> Result<Vec<Member>, InitError> {
    (0..new.nodes)
        .map(|node_id| {
            let address = u32::from(new.net).checked_add(node_id.saturating_add(1));
            let hostname = Ipv4Addr::from(address.ok_or(InitError::Net(new.net))?).to_string();
            Ok(Member { node_id, hostname, port: new.port })
        })
        .collect()
}

pub(super) fn listen_address(member: &Member) -> Result<SocketAddr, InitError> {
    let address: Ipv4Addr = member.hostname.parse().map_err(|_| InitError::Net(Ipv4Addr::UNSPECIFIED))?;
    Ok(SocketAddr::new(IpAddr::V4(address), member.port))
}

/// Fills an HSM's folder.
fn fill(
    folder: &Path,
    hsm: &NewHsm<'_>,
    members: &[Member],
    new: &NewCluster,
    pki: &ClusterPki,
    family: &Family,
) -> Result<(), InitError> {
    let settings = Settings::new(hsm.listen, members.to_vec(), new.password_hash);
    write_json(&folder.join(SETTINGS), &settings)?;
    write(&folder.join(KEY), pki.key.as_bytes())?;
    write(&folder.join(MANUFACTURER_ROOT), pki.manufacturer_root.as_bytes())?;
    write(&folder.join(HARDWARE), hsm.hardware.certificate.as_bytes())?;
    write(&folder.join(HARDWARE_SIGNED), hsm.hardware.cluster.as_bytes())?;
    match &pki.owner {
        OwnerPki::Ca { ca, certificate, .. } => {
            write(&folder.join(CERTIFICATE), certificate.as_bytes())?;
            write(&folder.join(CA), ca.as_bytes())?;
        }
        OwnerPki::Csr(csr) => write(&folder.join(CSR), csr.as_bytes())?,
    }
    write(&folder.join(FAMILY), &family.to_bytes())?;
    let master = random_key().map_err(|error| InitError::Key(error.to_string()))?;
    write(&folder.join(MASTER), master.as_slice())?;
    let store = folder.join(STORE);
    Store::create(&store, &first_history(hsm.identity.clone(), new)?)?;
    make_private(&store)
}

/// A new HSM: its `admin` is a PRECO whose password everybody knows, and nobody can log in as `app_user`.
fn first_history(identity: Identity, new: &NewCluster) -> Result<Vec<Event>, InitError> {
    let password = Hasher::new(new.password_hash)?
        .hash(&Secret::new(FIRST_PASSWORD.to_owned()))
        .ok_or_else(|| InitError::Key("no hash".to_owned()))?;
    let user = |user_type, name, password| {
        UserName::parse(name).map(|name| User::new(user_type, name, password)).map_err(InitError::Users)
    };
    let no_password = PasswordHash("!".to_owned());
    Ok(vec![
        Event::Made(identity),
        Event::UserCreated { id: UserId(1), user: user(UserType::PreCo, "admin", password)? },
        Event::UserCreated { id: UserId(2), user: user(UserType::Au, "app_user", no_password)? },
    ])
}

fn new_family() -> Result<Family, InitError> {
    Family::new().map_err(|error| InitError::Key(error.to_string()))
}

fn make_pki(hsms: &[Identity], owner: Owner) -> Result<ClusterPki, InitError> {
    ClusterPki::make(hsms, owner).map_err(|error| InitError::Key(error.to_string()))
}

pub(super) fn identity(names_: Names, node_id: u32) -> Result<Identity, InitError> {
    let (letters, serial) = names(names_, node_id)?;
    Ok(Identity {
        hsm_id: format!("hsm-{letters}"),
        serial_number: format!("3.0A0101-ICM{serial:06}"),
        node_id,
    })
}

/// Eleven letters and digits for the id, and a number for the serial number.
fn names(names: Names, node_id: u32) -> Result<(String, u32), InitError> {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut seed = [0; 16];
    match names {
        Names::Random => rand::fill(&mut seed).map_err(|_| InitError::Key("no random numbers".to_owned()))?,
        Names::Numbered => seed[..4].copy_from_slice(&node_id.to_be_bytes()),
    }
    let hash = digest(&SHA256, &seed);
    let letter = |byte: &u8| LETTERS.get(usize::from(byte % 32)).copied().map_or('a', char::from);
    let serial = match names {
        Names::Random => {
            hash.as_ref().iter().skip(11).take(3).fold(0, |sum, byte| sum * 100 + u32::from(byte % 100))
        }
        Names::Numbered => node_id.saturating_add(1),
    };
    Ok((hash.as_ref().iter().take(11).map(letter).collect(), serial))
}

pub(super) fn config(members: &[Member], place: &Path) -> Config {
    Config::of(members.iter().map(|member| ServerConfig::new(&member.hostname, member.port, &place.join(CA))))
}

fn keep_ca_key(folder: &Path, ca_key: &str) -> Result<(), InitError> {
    let folder = folder.join(CA_KEY_FOLDER);
    make_folder(&folder)?;
    write(&folder.join("customerCA.key"), ca_key.as_bytes())
}

/// The end of the name of the CSR, which is the same for all HSMs.
const OWNERS_CSR: &str = "ClusterCsr.csr";

/// Writes what the owner signs, and what shows to the owner where it comes from: the first HSM's certificates.
fn write_for_owner(work: &Path, hsms: &[Identity], csr: &str, pki: &ClusterPki) -> Result<(), InitError> {
    let file = |name| work.join(file_for_owner(hsms, name));
    write(&file(OWNERS_CSR), csr.as_bytes())?;
    write(&file("ManufacturerRootCertificate.crt"), pki.manufacturer_root.as_bytes())?;
    if let Some(hardware) = pki.hardware.first() {
        write(&file("ManufacturerHardwareCertificate.crt"), hardware.certificate.as_bytes())?;
        write(&file("HsmCertificate.crt"), hardware.cluster.as_bytes())?;
    }
    Ok(())
}

/// The original's file names begin with the cluster's id; here that is the first HSM's with another prefix.
fn file_for_owner(hsms: &[Identity], name: &str) -> String {
    let letters = hsms.first().map_or("", |hsm| hsm.hsm_id.trim_start_matches("hsm-"));
    format!("cluster-{letters}_{name}")
}

/// Calls `make` with an empty folder and the place it will have, and moves it there if that succeeds.
pub(super) fn whole_or_not_at_all(
    dir: &Path,
    make: impl FnOnce(&Path, &Path) -> Result<(), InitError>,
) -> Result<(), InitError> {
    let unwritable = |source| InitError::Unwritable { path: dir.to_owned(), source };
    let parent = match dir.parent() {
        Some(parent) if parent != Path::new("") => parent,
        Some(_) | None => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(unwritable)?;
    let name = dir.file_name().ok_or_else(|| unwritable(io::ErrorKind::InvalidInput.into()))?;
    let place = parent.canonicalize().map_err(unwritable)?.join(name);
    if fs::read_dir(&place).map_or(place.exists(), |mut entries| entries.next().is_some()) {
        return Err(InitError::Exists(dir.to_owned()));
    }
    let private = Permissions::from_mode(0o700);
    let work = tempfile::Builder::new().prefix(".hsmd-init-").permissions(private).tempdir_in(parent);
    let work = work.map_err(unwritable)?;
    make(work.path(), &place)?;
    sync_folder(work.path()).map_err(unwritable)?;
    fs::rename(work.path(), &place).map_err(unwritable)?;
    sync_folder(parent).map_err(unwritable)?;
    // What is left of the temporary folder is only its name.
    let _ = work.keep();
    Ok(())
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

pub(super) fn make_folder(path: &Path) -> Result<(), InitError> {
    fs::DirBuilder::new()
        .mode(0o700)
        .create(path)
        .map_err(|source| InitError::Unwritable { path: path.to_owned(), source })
}

pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), InitError> {
    let mut text = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, indent);
    let unwritable =
        |error: serde_json::Error| InitError::Unwritable { path: path.to_owned(), source: error.into() };
    value.serialize(&mut serializer).map_err(unwritable)?;
    text.push(b'\n');
    write(path, &text)
}

pub(super) fn write(path: &Path, text: &[u8]) -> Result<(), InitError> {
    let unwritable = |source| InitError::Unwritable { path: path.to_owned(), source };
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(unwritable)?;
    io::Write::write_all(&mut file, text).and_then(|()| file.sync_all()).map_err(unwritable)
}

pub(super) fn make_private(path: &Path) -> Result<(), InitError> {
    fs::set_permissions(path, Permissions::from_mode(0o600))
        .map_err(|source| InitError::Unwritable { path: path.to_owned(), source })
}
