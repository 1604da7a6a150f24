//! Makes new clusters, and single HSMs that are clusters of their own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;

use super::pki::{ClusterPki, Hardware, OwnerPki, Vouching};
use crate::config::{Config, ServerConfig};
use crate::hsm::{Event, FIRST_PASSWORD, Identity, PasswordHash, User, UserName};
use crate::hsmd::keeping::folder::{
    CA, CERTIFICATE, CONFIG, CSR, FAMILY, HARDWARE, HARDWARE_SIGNED, KEY, MANUFACTURER_ROOT, MASTER,
    SETTINGS, STORE,
};
use crate::hsmd::keeping::password::{BadCost, Hasher, Memory};
use crate::hsmd::keeping::private_files::{
    WriteError, make_folder, make_private, new_folder, write, write_json,
};
use crate::hsmd::keeping::settings::{HashCost, Settings};
use crate::hsmd::keeping::store::{Store, StoreError};
use crate::hsmd::keeping::vault::{Family, Vault, random_key};
use crate::protocol::device::Member;
use crate::protocol::user::{UserId, UserType};
use crate::protocol::{Refusal, Secret};

/// The most HSMs of a cluster.
pub const MAX_NODES: u32 = 32;

/// In a cluster's folder: where the CA's private key is, apart from the files that the HSMs and the console need.
const CA_KEY_FOLDER: &str = "owner";

/// What a new cluster is made from.
#[expect(missing_docs, reason = "the types say it")]
pub struct NewCluster {
    /// 1 to [`MAX_NODES`].
    pub nodes: u32,
    /// The HSMs get the addresses after this one.
    pub net: Ipv4Addr,
    /// The same for all HSMs.
    pub port: u16,
    pub names: Names,
    pub password_hash: HashCost,
    pub vouching: Vouching,
}

/// How HSMs get their ids and serial numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Unlike any other HSM's.
    Random,
    /// From their node ids: the same in every development cluster, so that transcripts are the same.
    Numbered,
}

/// Why no HSM was made.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum InitError {
    #[error(transparent)]
    File(#[from] WriteError),
    #[error("a cluster has 1 to {MAX_NODES} HSMs, not {0}")]
    Nodes(u32),
    /// Key handles, whose high part is the node id, would not fit in 32 bits.
    #[error("{0}: too high for a node id")]
    FirstNode(u32),
    /// Two HSMs of one clone family would give the same handle to different keys.
    #[error("node {0} belongs to the original cluster; choose a first node of {1} or higher")]
    NodeTaken(u32, u32),
    #[error("{0}: not enough IPv4 addresses after this one")]
    Net(Ipv4Addr),
    #[error("no key can be made: {0}")]
    Key(String),
    #[error("the store cannot be made: {0}")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Cost(#[from] BadCost),
    #[error("the first users cannot be made: {}", .0.text())]
    Users(Refusal),
}

/// Makes a cluster's folder: a folder for each HSM, the console's configuration, and the owner's CA or the CSR for
/// the owner to sign. Returns the path of the CSR, if there is one.
///
/// # Errors
///
/// If a file cannot be written or a key made. Then nothing is left at `dir`.
pub fn cluster(dir: &Path, new: &NewCluster) -> Result<Option<PathBuf>, InitError> {
    if !(1..=MAX_NODES).contains(&new.nodes) {
        return Err(InitError::Nodes(new.nodes));
    }
    let members = members(new)?;
    let hsms = members.iter().map(|member| identity(new.names, member.node_id));
    let hsms: Vec<Identity> = hsms.collect::<Result<_, _>>()?;
    let pki = make_pki(&hsms, new.vouching)?;
    new_folder(dir, |work, place| {
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
    Ok(match new.vouching {
        Vouching::MadeHere => None,
        Vouching::SignsCsr => Some(dir.join(file_for_owner(&hsms, OWNERS_CSR))),
    })
}

/// Makes the folder of an HSM that is a cluster of its own: the HSM, its CA and the console's configuration in one
/// folder.
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
        vouching: Vouching::MadeHere,
    };
    let identity = identity(new.names, node_id)?;
    let pki = make_pki(std::slice::from_ref(&identity), new.vouching)?;
    new_folder(dir, |work, place| {
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
        Ok(write_json(&work.join(CONFIG), &config(&members, place))?)
    })
}

/// What is different for each HSM of a cluster.
pub(super) struct NewHsm<'a> {
    pub(super) listen: SocketAddr,
    pub(super) identity: &'a Identity,
    pub(super) hardware: &'a Hardware,
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
pub(super) fn fill(
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
    let vault = Vault::new(&master, family).map_err(|error| InitError::Key(error.to_string()))?;
    Store::create(&store, &first_history(hsm.identity.clone(), new.password_hash, &vault)?)?;
    Ok(make_private(&store)?)
}

/// A new HSM has a PRECO `admin`, whose password is publicly known, and an AU `app_user`, who cannot log in.
pub(super) fn first_history(
    identity: Identity,
    cost: HashCost,
    vault: &Vault,
) -> Result<Vec<Event>, InitError> {
    let password = Hasher::new(cost)?
        .hash(
            &Secret::new(FIRST_PASSWORD.to_owned()),
            &vault.salt(UserType::PreCo, "admin"),
            &mut Memory::default(),
        )
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

pub(super) fn new_family() -> Result<Family, InitError> {
    Family::new().map_err(|error| InitError::Key(error.to_string()))
}

pub(super) fn make_pki(hsms: &[Identity], vouching: Vouching) -> Result<ClusterPki, InitError> {
    ClusterPki::make(hsms, vouching).map_err(|error| InitError::Key(error.to_string()))
}

/// A new HSM's id, serial number and place.
///
/// # Errors
///
/// If the system has no random numbers.
pub fn identity(names_: Names, node_id: u32) -> Result<Identity, InitError> {
    let (letters, serial) = names(names_, node_id)?;
    Ok(Identity {
        hsm_id: format!("hsm-{letters}"),
        serial_number: format!("3.0A0101-ICM{serial:06}"),
        node_id,
    })
}

/// Eleven letters and digits for the id, and six digits for the serial number.
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
    Ok(write(&folder.join("customerCA.key"), ca_key.as_bytes())?)
}

/// The end of the CSR's file name.
const OWNERS_CSR: &str = "ClusterCsr.csr";

/// Writes the CSR, and the first HSM's certificates, by which the owner can check where the CSR comes from.
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

/// As the original's, the file names begin with the cluster's id: here, the first HSM's id with another prefix.
fn file_for_owner(hsms: &[Identity], name: &str) -> String {
    let letters = hsms.first().map_or("", |hsm| hsm.hsm_id.trim_start_matches("hsm-"));
    format!("cluster-{letters}_{name}")
}
