//! `unWrapKey`

use crate::command::{Argument, Given, Kind, Permission, Usage};
use crate::files::read;
use crate::kmu::attest::ATTEST;
use crate::kmu::create::Report;
use crate::kmu::frame::{line, returned};
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::template::{ID, LABEL, M_VALUE, MINIMUM, NEX, SESSION, TIMEOUT, Template, USERS};
use crate::kmu::transport::{nodes_with, not_read};
use crate::kmu::wrapping::{AAD, HASH, IV, MECHANISM, NO_HEADER, TAG_SIZE, Wanted, chosen};
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::flags::Flags;
use crate::protocol::key::{KeyClass, KeyHandle, KeyType};
use crate::protocol::wrap::{UnwrapKey, WrappedBytes};
use crate::protocol::wrapped_file::{NotAWrappedFile, WrappedFile};
use crate::protocol::wrapping::WrapMechanism;

pub(super) static COMMAND: Command = Command {
    name: "unWrapKey",
    arguments: &[
        FILE, WRAPPING, SESSION, MINIMUM, TIMEOUT, AAD, TAG_SIZE, IV_FILE, ATTEST, MECHANISM, HASH, NEX, USERS, M_VALUE,
        NO_HEADER, OPTIONAL_LABEL, ID, TYPE, CLASS, IV,
    ],
    summary: "UnWraps a key into HSM using the specified handle",
    description: "\
Makes a key of a file that wrapKey wrote, and copies it to all HSMs under the same handle. The key is decrypted inside
the HSM. The file's header says what it is; with -noheader, -l, -kc and -kt are required. M value and sharers are not
those of the wrapped key, but what -m_value and -u say. If others must approve the use of the wrapping key, this uses
up an approved token of service 5 (USE_KEY).",
    example: "unWrapKey -f key.wrapped -w 6 -m 4",
    permission: Some(Permission::of::<UnwrapKey>()),
    build: |given| {
        let mechanism = Wanted::parse(given)?;
        let form = Form::parse(given)?;
        let file = given.text(&FILE)?;
        let wrapping = given.handle(&WRAPPING)?;
        Ok(Box::new(UnWrapKey { file, wrapping, mechanism, form, template: Template::parse(given)? }))
    },
};

const FILE: Argument =
    Argument::flag("-f", "key-file-name", Kind::File, "File name").help("file with the wrapped key");
const WRAPPING: Argument = Argument::flag("-w", "wrapping-key-handle", Kind::Handle, "wrapping Key handle")
    .help("handle of an AES key or an RSA private key with OBJ_ATTR_UNWRAP");
const IV_FILE: Argument = Argument::option("-iv_file", "file", Kind::File, "IV file")
    .help("file with the IV that wrapKey wrote, with -noheader and AES_GCM");
const OPTIONAL_LABEL: Argument = LABEL.optional().help("label of the key, if not that of the header");
const TYPE: Argument = Argument::option("-kt", "key-type", Kind::Number, "Key type")
    .help("with -noheader: 0 = RSA, 1 = DSA, 3 = ECC, 16 = GENERIC_SECRET, 21 = DES3, 31 = AES");
const CLASS: Argument = Argument::option("-kc", "key-class", Kind::Number, "Key class")
    .help("with -noheader: 3 = private, 4 = secret");

struct UnWrapKey {
    file: String,
    wrapping: KeyHandle,
    mechanism: Wanted,
    form: Form,
    template: Template,
}

/// What the file holds.
enum Form {
    WithHeader,
    Bare { class: KeyClass, key_type: KeyType, iv_file: Option<String> },
}

impl Form {
    fn parse(given: &Given<'_>) -> Result<Self, Usage> {
        let key_type = chosen(
            given,
            &TYPE,
            &KeyType::ALL.map(|known| (known.number(), known)),
            "Invalid key type specified.",
        )?;
        let class = chosen(
            given,
            &CLASS,
            &[(3, KeyClass::Private), (4, KeyClass::Secret)],
            "Invalid key class specified.",
        )?;
        let iv_file = given.maybe(&IV_FILE, Given::text)?;
        if !given.has(&NO_HEADER) {
            let is_bare = key_type.is_some() || class.is_some() || iv_file.is_some() || given.has(&IV);
            let wrong = Usage::Wrong("-kt, -kc, -i and -iv_file are valid with -noheader only.");
            return if is_bare { Err(wrong) } else { Ok(Self::WithHeader) };
        }
        // Reported as any option that is missing.
        given.word(&OPTIONAL_LABEL)?;
        let class = class.ok_or(Usage::MissingFlag { what: "Key class", flag: "-kc" })?;
        let key_type = key_type.ok_or(Usage::MissingFlag { what: "Key type", flag: "-kt" })?;
        Ok(Self::Bare { class, key_type, iv_file })
    }
}

/// Larger than any wrapped key, with its header.
const MAX_FILE: u64 = 128 * 1024;

/// What is unwrapped, and what it will be.
struct Content {
    mechanism: WrapMechanism,
    wrapped: WrappedBytes,
    class: KeyClass,
    key_type: KeyType,
    flags: Option<Flags>,
}

impl Action for UnWrapKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let Self { file, wrapping, mechanism, form, mut template } = *self;
        let bytes = content(&file, MAX_FILE)?;
        let nodes = nodes_with(session, &[wrapping]);
        match form {
            Form::WithHeader => {
                let WrappedFile { header, wrapped } =
                    WrappedFile::decode(&bytes).map_err(|reason| not_wrapped(&file, reason))?;
                let mechanism = mechanism.of_header(&header.mechanism)?;
                template.complete(header.label, header.id);
                let (class, key_type, flags) = (header.class, header.key_type, Some(header.flags));
                let wrapped = WrappedBytes { bytes: wrapped, iv: header.iv };
                let content = Content { mechanism, wrapped, class, key_type, flags };
                content.unwrap(session, &nodes, wrapping, template, Report { call: "UnWrapKey", details })
            }
            Form::Bare { class, key_type, iv_file } => {
                let mechanism = mechanism.alone()?;
                let wrapped = WrappedBytes { bytes, iv: iv(&mechanism, iv_file.as_deref())? };
                let content = Content { mechanism, wrapped, class, key_type, flags: None };
                session.print(&returned("CreateUnwrapTemplate2", Code::SUCCESS));
                let report = Report { call: "Cfm2UnWrapWithTemplate3", details: bare_details };
                let printed = content.unwrap(session, &nodes, wrapping, template, report);
                // The original has no empty line between these two results.
                printed.map(|text| text.trim_start_matches('\n').to_owned())
            }
        }
    }
}

impl Content {
    fn unwrap(
        self,
        session: &mut Session<'_>,
        nodes: &[usize],
        wrapping: KeyHandle,
        template: Template,
        report: Report,
    ) -> Printed {
        let Self { mechanism, wrapped, class, key_type, flags } = self;
        let unwrap = |template| UnwrapKey { wrapping, mechanism, wrapped, class, key_type, flags, template };
        template.run(session, nodes, unwrap, |handle| vec![*handle], report)
    }
}

fn not_wrapped(path: &str, reason: NotAWrappedFile) -> Stop {
    match reason {
        NotAWrappedFile::NoHeader => not_read(path, &format!("{reason}; use -noheader if it has none")),
        NotAWrappedFile::Version(_) | NotAWrappedFile::Damaged => not_read(path, &reason),
    }
}

/// Only AES_GCM has its IV in a file of its own.
fn iv(mechanism: &WrapMechanism, file: Option<&str>) -> Result<Vec<u8>, Stop> {
    match (mechanism, file) {
        (WrapMechanism::AesGcm(_), Some(path)) => content(path, MAX_IV),
        (WrapMechanism::AesGcm(_), None) => Err(Stop::failed(line("Error: IV file (-iv_file) is missing."))),
        (_, Some(_)) => Err(Stop::failed(line("Error: -iv_file is valid with mechanism 10 (AES_GCM) only."))),
        (_, None) => Ok(Vec::new()),
    }
}

/// More than an IV of AES-GCM has, in bytes.
const MAX_IV: u64 = 64;

fn content(path: &str, limit: u64) -> Result<Vec<u8>, Stop> {
    read(path, limit).map_err(|reason| not_read(path, &reason))
}

fn details(handles: &[KeyHandle]) -> String {
    handles.iter().map(|handle| line(&format!("Key Unwrapped.  Key Handle: {handle}"))).collect()
}

/// With one space, as in the original's guide.
fn bare_details(handles: &[KeyHandle]) -> String {
    handles.iter().map(|handle| line(&format!("Key Unwrapped. Key Handle: {handle}"))).collect()
}
