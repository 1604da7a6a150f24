//! Single HSMs of a cluster that grows: its first one, and those that join.

use std::path::Path;

use super::backup::Backup;
use super::clone::fill_clone;
use super::init::{InitError, Names, NewCluster, NewHsm, fill, listen_address, make_pki, new_family};
use super::pki::Vouching;
use crate::hsm::Identity;
use crate::hsmd::keeping::folder::{FolderError, SETTINGS, read_settings};
use crate::hsmd::keeping::private_files::{WriteError, new_folder, replace_json};
use crate::hsmd::keeping::settings::{HashCost, Settings};
use crate::protocol::device::Member;

/// Makes the folder of a cluster's first HSM, with a CSR for the owner to sign.
///
/// # Errors
///
/// If a file cannot be written or a key made. Then nothing is left at `dir`.
pub fn first(
    dir: &Path,
    identity: &Identity,
    member: &Member,
    password_hash: HashCost,
) -> Result<(), InitError> {
    let listen = listen_address(member)?;
    let (nodes, net, port) = (1, std::net::Ipv4Addr::LOCALHOST, member.port);
    let (names, vouching) = (Names::Random, Vouching::SignsCsr);
    let new = NewCluster { nodes, net, port, names, password_hash, vouching };
    let pki = make_pki(std::slice::from_ref(identity), vouching)?;
    new_folder(dir, |work, _| {
        let Some(hardware) = pki.hardware.first() else { return Ok(()) };
        let hsm = NewHsm { listen, identity, hardware };
        fill(work, &hsm, std::slice::from_ref(member), &new, &pki, &new_family()?)
    })
}

/// Makes the folder of an HSM that joins a cluster, with the users and keys of a backup. `members` are all HSMs of the
/// cluster, this one included.
///
/// # Errors
///
/// If a file cannot be written, or the backup's keys cannot be decrypted. Then nothing is left at `dir`.
pub fn joining(
    dir: &Path,
    identity: &Identity,
    members: &[Member],
    backup: &Backup,
) -> Result<(), InitError> {
    let own = members.iter().find(|member| member.node_id == identity.node_id);
    let own = own.ok_or(InitError::FirstNode(identity.node_id))?;
    let settings =
        Settings { listen: listen_address(own)?, members: members.to_vec(), ..backup.settings.clone() };
    new_folder(dir, |work, _| fill_clone(work, identity, &settings, backup))
}

/// Says in a stopped or running HSM's settings who the HSMs of its cluster are. A running one reads that at its next start.
///
/// # Errors
///
/// If the settings cannot be read or written.
pub fn set_members(folder: &Path, members: &[Member]) -> Result<(), MembersError> {
    let settings = read_settings(folder)?;
    if settings.members == members {
        return Ok(());
    }
    let settings = Settings { members: members.to_vec(), ..settings };
    Ok(replace_json(&folder.join(SETTINGS), &settings)?)
}

/// Why an HSM's settings are as they were.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum MembersError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Write(#[from] WriteError),
}
