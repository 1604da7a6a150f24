//! Keys in and out: what the commands that import and export have in common.
//!
//! In both directions a value crosses the network encrypted under a key of the HSM. On import, the HSM encrypts what the
//! caller has and unwraps it as a key; on export, it wraps the key and decrypts it for the caller alone. With `-wk` the
//! caller has the wrapping key, too, and does its half without the HSM.

use zeroize::Zeroizing;

use super::create::{Report, make_on_one};
use super::frame::{line, returned, status};
use super::template::Template;
use super::{Code, Printed, Session, State, Stop};
use crate::command::{Argument, Given, Kind, Usage};
use crate::crypto::key_wrap::{unwrap_pkcs5, wrap_pkcs5};
use crate::crypto::sealing::Recipient;
use crate::files::{Readers, is_same, metadata_to_replace, read, write};
use crate::protocol::attribute::{Attributes, ReadAttributes};
use crate::protocol::key::{KeyClass, KeyHandle, KeyType};
use crate::protocol::wrap::{UnwrapHost, UnwrapKey, WrapHost, WrapKey, WrappedBytes};
use crate::protocol::wrapping::WrapMechanism;
use crate::protocol::{Operation, SecretBytes};

pub(super) const LOCAL: Argument =
    Argument::option("-wk", "wrapping key file", Kind::File, "Wrapping key file")
        .help("file with the wrapping key's value, with which the tool encrypts or decrypts itself");
pub(super) const MECHANISM: Argument =
    Argument::option("-m", "wrapping mechanism", Kind::Number, "Wrapping mechanism")
        .help("4 = NIST_AES_WRAP, the only one supported");

const ONLY: WrapMechanism = WrapMechanism::AesWrapPkcs5;

/// Reads [`MECHANISM`].
pub(super) fn must_be_aes_wrap(given: &Given<'_>) -> Result<(), Usage> {
    match given.maybe(&MECHANISM, Given::number::<u32>)? {
        None | Some(4) => Ok(()),
        Some(_) => Err(Usage::Wrong("Invalid wrapping mechanism specified.")),
    }
}

/// A key on its way out.
pub(super) struct Export {
    pub(super) handle: KeyHandle,
    pub(super) wrapping: KeyHandle,
    pub(super) local: Option<String>,
    pub(super) out: String,
}

impl Export {
    /// Gets the value out; prints the lines of both steps.
    pub(super) fn value(&self, session: &mut Session<'_>) -> Result<SecretBytes, Stop> {
        // Before approvals are used up for a key that cannot be written.
        must_be_writable(&self.out)?;
        if let Some(path) = &self.local {
            must_be_another("-out", &self.out, path)?;
        }
        let local = self.local.as_deref().map(local_key).transpose()?;
        let wrap = WrapKey { handle: self.handle, wrapping: self.wrapping, mechanism: ONLY };
        let nodes = nodes_with(session, &[self.handle, self.wrapping]);
        let (node, wrapped) = step(session, "WrapKey", &nodes, wrap)?;
        match local {
            Some(key) => {
                let other = "The file does not hold the wrapping key";
                unwrap_pkcs5(&key, &wrapped.bytes)
                    .map(SecretBytes::new)
                    .map_err(|_| Stop::failed(line(other)))
            }
            None => {
                let value = unwrapped_for_caller(session, &[node], self.wrapping, wrapped)?;
                session.print(&returned(UNWRAP_HOST, Code::SUCCESS));
                Ok(value)
            }
        }
    }
}

/// The call that decrypts for the caller.
pub(super) const UNWRAP_HOST: &str = "UnWrapHostKey";

/// Makes an HSM decrypt bytes for the caller alone. Only a failure prints.
pub(super) fn unwrapped_for_caller(
    session: &mut Session<'_>,
    nodes: &[usize],
    wrapping: KeyHandle,
    wrapped: WrappedBytes,
) -> Result<SecretBytes, Stop> {
    let failed = || Stop::failed(line("Failed to decrypt what the HSM sent"));
    let recipient = Recipient::new().map_err(|_| failed())?;
    let (mechanism, public) = (ONLY, recipient.public_key().to_vec());
    let unwrap = UnwrapHost { wrapping, mechanism, wrapped, recipient: public };
    let (_, sealed) = quiet_step(session, UNWRAP_HOST, nodes, unwrap)?;
    recipient.open(&sealed).map_err(|_| failed())
}

/// Writes a secret to a file, readable by its owner alone unless the file is there already.
pub(super) fn write_secret(path: &str, bytes: &[u8]) -> Result<(), Stop> {
    write(path, bytes, Readers::Owner).map_err(|reason| not_written(path, &reason))
}

/// Writes what everybody may read to a file.
pub(super) fn write_public(path: &str, bytes: &[u8]) -> Result<(), Stop> {
    write(path, bytes, Readers::Everybody).map_err(|reason| not_written(path, &reason))
}

/// A value on its way in.
pub(super) struct Import {
    pub(super) value: Zeroizing<Vec<u8>>,
    pub(super) class: KeyClass,
    pub(super) key_type: KeyType,
    pub(super) wrapping: KeyHandle,
    pub(super) local: Option<String>,
    pub(super) template: Template,
}

impl Import {
    /// Makes a key of the value, on all HSMs.
    pub(super) fn run(self, session: &mut Session<'_>, details: fn(&[KeyHandle]) -> String) -> Printed {
        let local = self.local.as_deref().map(local_key).transpose()?;
        let mut nodes = nodes_with(session, &[self.wrapping]);
        let wrapped = match local {
            Some(key) => {
                let bytes = wrap_pkcs5(&key, &self.value)
                    .map_err(|_| Stop::failed(line("Failed to wrap the key")))?;
                WrappedBytes { bytes, iv: Vec::new() }
            }
            None => {
                let data = SecretBytes::new(self.value);
                let wrap = WrapHost { wrapping: self.wrapping, mechanism: ONLY, data };
                let (node, wrapped) = step(session, "WrapHostKey", &nodes, wrap)?;
                // The HSM that wrapped the value is tried first.
                nodes.sort_by_key(|other| *other != node);
                wrapped
            }
        };
        session.print(&returned("CreateUnwrapTemplate", Code::SUCCESS));
        let (wrapping, mechanism) = (self.wrapping, ONLY);
        let (class, key_type) = (self.class, self.key_type);
        let unwrap =
            |template| UnwrapKey { wrapping, mechanism, wrapped, class, key_type, flags: None, template };
        let report = Report { call: "UnWrapKey", details };
        self.template.run(session, &nodes, unwrap, |handle| vec![*handle], report)
    }
}

/// One step on one HSM, with its line.
fn step<O: Operation>(
    session: &mut Session<'_>,
    call: &str,
    nodes: &[usize],
    operation: O,
) -> Result<(usize, O::Reply), Stop> {
    let done = quiet_step(session, call, nodes, operation)?;
    session.print(&returned(call, Code::SUCCESS));
    Ok(done)
}

/// One step on one HSM, whose line is printed only if it fails.
pub(super) fn quiet_step<O: Operation>(
    session: &mut Session<'_>,
    call: &str,
    nodes: &[usize],
    operation: O,
) -> Result<(usize, O::Reply), Stop> {
    let failed = |states: Vec<State>| {
        let code = Code::of_none(&states);
        Stop::Failed(returned(call, code) + &status(&states))
    };
    make_on_one(session, nodes, operation).map_err(failed)
}

/// The attributes of a key that the user may use, if any HSM returns them.
pub(super) fn attributes(session: &mut Session<'_>, handle: KeyHandle) -> Option<Attributes> {
    let answers = session.perform(&session.everywhere(), ReadAttributes { handle });
    answers.into_iter().find_map(|(_, answer)| answer.ok())
}

/// The nodes that have all these keys, as session keys are on one of them only; otherwise all, so that they refuse.
pub(super) fn nodes_with(session: &mut Session<'_>, handles: &[KeyHandle]) -> Vec<usize> {
    let mut nodes = super::create::candidates(session);
    for handle in handles {
        let holders = session.holders(*handle);
        if nodes.iter().any(|node| holders.contains(node)) {
            nodes.retain(|node| holders.contains(node));
        }
    }
    nodes
}

/// The value of a wrapping key.
fn local_key(path: &str) -> Result<Zeroizing<Vec<u8>>, Stop> {
    let value = value_of(path)?;
    let is_aes_key = [16, 24, 32].contains(&value.len());
    if is_aes_key { Ok(value) } else { Err(Stop::failed(line("Invalid file. Should be an AES key"))) }
}

/// Reads the value of a key.
pub(super) fn value_of(path: &str) -> Result<Zeroizing<Vec<u8>>, Stop> {
    read(path, MAX_VALUE).map(Zeroizing::new).map_err(|reason| not_read(path, &reason))
}

/// More than any symmetric key has, in bytes.
const MAX_VALUE: u64 = 4096;

pub(super) fn not_read(path: &str, reason: &dyn std::fmt::Display) -> Stop {
    Stop::failed(line(&format!("Failed to read from the file \"{path}\": {reason}")))
}

fn not_written(path: &str, reason: &dyn std::fmt::Display) -> Stop {
    Stop::failed(line(&format!("Failed to write to the file \"{path}\": {reason}")))
}

/// Whether a file can be written there.
pub(super) fn must_be_writable(path: &str) -> Result<(), Stop> {
    metadata_to_replace(path).map(|_| ()).map_err(|reason| not_written(path, &reason))
}

/// Refuses to write over a file that the same command reads or writes.
pub(super) fn must_be_another(option: &str, path: &str, other: &str) -> Result<(), Stop> {
    let same =
        || Stop::failed(line(&format!("Error: {option} is the file \"{path}\", which this command needs.")));
    if is_same(path, other) { Err(same()) } else { Ok(()) }
}
