//! `wrapKey`

use crate::command::{Argument, Given, Kind, Permission, Usage};
use crate::kmu::frame::{line, returned};
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::transport::{
    attributes, must_be_another, must_be_writable, nodes_with, quiet_step, write_public,
};
use crate::kmu::wrapping::{AAD, HASH, IV, MECHANISM, NO_HEADER, TAG_SIZE, Wanted};
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::attribute::Attributes;
use crate::protocol::flags::Flags;
use crate::protocol::key::KeyHandle;
use crate::protocol::wrap::{WrapKey as Operation, WrappedBytes};
use crate::protocol::wrapped_file::{Header, WrappedFile};
use crate::protocol::wrapping::WrapMechanism;

pub(super) static COMMAND: Command = Command {
    name: "wrapKey",
    arguments: &[KEY, WRAPPING, OUT, MECHANISM, AAD, HASH, NO_HEADER, IV, IV_FILE, TAG_SIZE],
    summary: "Wraps a key from from HSM using the specified handle",
    description: "\
Writes one of your extractable secret or private keys to a file, encrypted with another key inside the HSM. A header
before the encrypted bytes says how unWrapKey gets the key back: mechanism, class, type, label, id and uses; but not
who shares the key nor its M value, so that a copy needs no approvals. If others must approve the use of a key, this
uses up an approved token of service 5 (USE_KEY).",
    example: "wrapKey -k 7 -w 6 -out key.wrapped -m 4",
    permission: Some(Permission::of::<Operation>()),
    build: |given| {
        Ok(Box::new(WrapKey {
            handle: given.handle(&KEY)?,
            wrapping: given.handle(&WRAPPING)?,
            out: given.text(&OUT)?,
            mechanism: Wanted::parse(given)?,
            form: Form::parse(given)?,
        }))
    },
};

const KEY: Argument = Argument::flag("-k", "exported-key-handle", Kind::Handle, "key to be wrapped")
    .help("handle of the key to be wrapped");
const WRAPPING: Argument = Argument::flag("-w", "wrapping-key-handle", Kind::Handle, "wrapping Key handle")
    .help("handle of an AES key or an RSA public key with OBJ_ATTR_WRAP");
const OUT: Argument =
    Argument::flag("-out", "output-file", Kind::File, "Wrapped Key File").help("file to write to");
const IV_FILE: Argument = Argument::option("-iv_file", "IV file", Kind::File, "IV file")
    .help("file to write the HSM's IV to, with -noheader and AES_GCM");

struct WrapKey {
    handle: KeyHandle,
    wrapping: KeyHandle,
    out: String,
    mechanism: Wanted,
    form: Form,
}

/// What the file holds.
enum Form {
    WithHeader,
    Bare { iv_file: Option<String> },
}

impl Form {
    fn parse(given: &Given<'_>) -> Result<Self, Usage> {
        let iv_file = given.maybe(&IV_FILE, Given::text)?;
        match given.has(&NO_HEADER) {
            true => Ok(Self::Bare { iv_file }),
            false if iv_file.is_some() || given.has(&IV) => {
                Err(Usage::Wrong("-i and -iv_file are valid with -noheader only."))
            }
            false => Ok(Self::WithHeader),
        }
    }
}

/// `Cfm2` stands in the original's guide.
const CALL: &str = "Cfm2WrapKey";

impl Action for WrapKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let mechanism = self.mechanism.alone()?;
        self.must_have_room_for_iv(&mechanism)?;
        // Before approvals are used up for a key that cannot be written.
        must_be_writable(&self.out)?;
        let described = attributes(session, self.handle);
        let nodes = nodes_with(session, &[self.handle, self.wrapping]);
        let (handle, wrapping) = (self.handle, self.wrapping);
        let wrap = Operation { handle, wrapping, mechanism: mechanism.clone() };
        let (_, wrapped) = quiet_step(session, CALL, &nodes, wrap)?;
        let content = match (&self.form, described) {
            (Form::Bare { iv_file }, _) => bare(wrapped, iv_file.as_deref())?,
            (Form::WithHeader, Some(key)) => with_header(mechanism, key, wrapped)?,
            (Form::WithHeader, None) => {
                return Err(Stop::failed(line("No HSM described the key; the wrapped key is not written")));
            }
        };
        write_public(&self.out, &content)?;
        let written = format!("Wrapped Key written to file \"{}\" length {}", self.out, content.len());
        Ok(line("Key Wrapped.") + &line(&written) + &returned(CALL, Code::SUCCESS))
    }
}

impl WrapKey {
    /// Without the IV nobody could unwrap the bytes.
    fn must_have_room_for_iv(&self, mechanism: &WrapMechanism) -> Result<(), Stop> {
        match (&self.form, mechanism) {
            (Form::Bare { iv_file: None }, WrapMechanism::AesGcm(_)) => {
                Err(Stop::failed(line("Error: IV file (-iv_file) is missing.")))
            }
            (Form::Bare { iv_file: Some(path) }, WrapMechanism::AesGcm(_)) => {
                must_be_another("-iv_file", path, &self.out)?;
                must_be_writable(path)
            }
            (Form::Bare { iv_file: Some(_) }, _) => {
                Err(Stop::failed(line("Error: -iv_file is valid with mechanism 10 (AES_GCM) only.")))
            }
            (Form::Bare { iv_file: None } | Form::WithHeader, _) => Ok(()),
        }
    }
}

fn bare(WrappedBytes { bytes, iv }: WrappedBytes, iv_file: Option<&str>) -> Result<Vec<u8>, Stop> {
    if let Some(path) = iv_file {
        write_public(path, &iv)?;
    }
    Ok(bytes)
}

fn with_header(
    mechanism: WrapMechanism,
    key: Attributes,
    WrappedBytes { bytes, iv }: WrappedBytes,
) -> Result<Vec<u8>, Stop> {
    let flags = Flags::of(&key);
    let Attributes { class, key_type, label, id, .. } = key;
    let header = Header { mechanism, iv, class, key_type, label, id, flags };
    let encoded = WrappedFile { header, wrapped: bytes }.encode();
    encoded.map_err(|error| Stop::failed(line(&error.to_string())))
}
