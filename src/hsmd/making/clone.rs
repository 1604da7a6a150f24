//! Makes a cluster from a backup: the same users, keys, handles and CA, on new HSMs.

use std::path::Path;

use super::backup::Backup;
use super::init::{InitError, MAX_NODES, NewCluster, config, identity, listen_address, members};
use super::pki::{Hardware, Maker};
use crate::hsm::Identity;
use crate::hsmd::keeping::folder::{
    CA, CONFIG, HARDWARE, HARDWARE_SIGNED, KEY, MANUFACTURER_ROOT, MASTER, SETTINGS, STORE,
};
use crate::hsmd::keeping::private_files::{
    WriteError, make_folder, make_private, new_folder, write, write_json,
};
use crate::hsmd::keeping::settings::Settings;
use crate::hsmd::keeping::store::Store;
use crate::hsmd::keeping::vault::{CryptoFailed, random_key};
use crate::protocol::device::Member;
use crate::protocol::key::HANDLES_PER_NODE;

/// Makes the folder of a cloned cluster. Its HSMs have ids of their own, and node ids from `first_node` on, by default
/// those after the original's. No two HSMs of a clone family should have the same node id: they would give the same
/// handle to different keys, which could then not be copied from one to the other. Those of the original are refused;
/// those of its other clones are not known here.
///
/// # Errors
///
/// If a file cannot be written, or the backup's keys cannot be decrypted. Then nothing is left at `dir`.
pub fn clone_cluster(
    dir: &Path,
    new: &NewCluster,
    backup: &Backup,
    first_node: Option<u32>,
) -> Result<(), InitError> {
    if !(1..=MAX_NODES).contains(&new.nodes) {
        return Err(InitError::Nodes(new.nodes));
    }
    let original = &backup.settings.members;
    let after = original.iter().map(|member| member.node_id.saturating_add(1)).max().unwrap_or_default();
    let first = first_node.unwrap_or(after);
    if first > u32::MAX / HANDLES_PER_NODE - MAX_NODES {
        return Err(InitError::FirstNode(first));
    }
    let made = first..first.saturating_add(new.nodes);
    if let Some(taken) = original.iter().find(|member| made.contains(&member.node_id)) {
        return Err(InitError::NodeTaken(taken.node_id, after));
    }
    let mut members = members(new)?;
    members.iter_mut().for_each(|member| member.node_id = member.node_id.saturating_add(first));
    let hsms = members.iter().map(|member| identity(new.names, member.node_id));
    let hsms: Vec<Identity> = hsms.collect::<Result<_, _>>()?;
    let maker = certify(&hsms, backup)?;
    new_folder(dir, |work, place| {
        for (number, ((member, identity), hardware)) in
            members.iter().zip(hsms).zip(&maker.hardware).enumerate()
        {
            let folder = work.join(format!("hsm{number}"));
            make_folder(&folder)?;
            let (listen, members) = (listen_address(member)?, members.clone());
            let settings = Settings { listen, members, ..backup.settings.clone() };
            fill(&folder, &identity, &settings, backup, &maker, hardware)?;
        }
        let ca = backup.files.get(CA).map(|ca| ca.as_slice());
        write(&work.join(CA), ca.unwrap_or_default())?;
        Ok(write_json(&work.join(CONFIG), &config(&members as &[Member], place))?)
    })
}

/// The certificates of new HSMs that get the backup's cluster key.
fn certify(hsms: &[Identity], backup: &Backup) -> Result<Maker, InitError> {
    let key = backup.files.get(KEY).and_then(|pem| std::str::from_utf8(pem).ok());
    let key = key.ok_or_else(|| InitError::Key("the backup has no cluster key".to_owned()))?;
    Maker::certify(hsms, key).map_err(|error| InitError::Key(error.to_string()))
}

/// Fills the folder of one clone.
pub(super) fn fill_clone(
    folder: &Path,
    identity: &Identity,
    settings: &Settings,
    backup: &Backup,
) -> Result<(), InitError> {
    let maker = certify(std::slice::from_ref(identity), backup)?;
    let hardware = maker.hardware.first().ok_or_else(|| InitError::Key("no certificate".to_owned()))?;
    fill(folder, identity, settings, backup, &maker, hardware)
}

/// Writes the files that all clones share, a master key of the HSM's own, and a store with the keys under that.
fn fill(
    folder: &Path,
    identity: &Identity,
    settings: &Settings,
    backup: &Backup,
    maker: &Maker,
    hardware: &Hardware,
) -> Result<(), InitError> {
    write_json(&folder.join(SETTINGS), settings)?;
    write_certificates(folder, maker, hardware)?;
    for (name, bytes) in &backup.files {
        write(&folder.join(name), bytes)?;
    }
    let unusable = |error: CryptoFailed| InitError::Key(error.to_string());
    let master = random_key().map_err(unusable)?;
    write(&folder.join(MASTER), master.as_slice())?;
    let hsm = backup.hsm_under(&master).map_err(unusable)?.clone_as(identity.clone());
    let store = folder.join(STORE);
    Store::create_from(&store, &hsm)?;
    Ok(make_private(&store)?)
}

fn write_certificates(folder: &Path, maker: &Maker, hardware: &Hardware) -> Result<(), WriteError> {
    write(&folder.join(MANUFACTURER_ROOT), maker.root.as_bytes())?;
    write(&folder.join(HARDWARE), hardware.certificate.as_bytes())?;
    write(&folder.join(HARDWARE_SIGNED), hardware.cluster.as_bytes())
}
