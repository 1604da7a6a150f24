//! `imSymKey`

use crate::command::{Argument, Given, Kind, Permission, Usage};
use crate::kmu::attest::ATTEST;
use crate::kmu::frame::line;
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::template::{ID, LABEL, MINIMUM, SESSION, TIMEOUT, Template, USERS};
use crate::kmu::transport::{Import, LOCAL, value_of};
use crate::kmu::{Action, Command, Session};
use crate::protocol::key::{KeyClass, KeyHandle, KeyType};
use crate::protocol::wrap::UnwrapKey;

pub(super) static COMMAND: Command = Command {
    name: "imSymKey",
    arguments: &[TYPE, FILE, WRAPPING, LABEL, ID, MINIMUM, SESSION, TIMEOUT, USERS, LOCAL, ATTEST],
    summary: "Imports a Symmetric key",
    description: "\
Makes a symmetric key of the bytes of a file, and copies it to all HSMs under the same handle. The HSM encrypts the
bytes with the wrapping key, and decrypts them inside; with -wk the tool encrypts them. If others must approve the use
of the wrapping key, each step uses up an approved token of service 5 (USE_KEY).",
    example: "imSymKey -f aes256.key -w 6 -t 31 -l imported",
    permission: Some(Permission::of::<UnwrapKey>()),
    build: |given| {
        Ok(Box::new(ImSymKey {
            key_type: Wanted::parse(given.number(&TYPE)?)?,
            file: given.text(&FILE)?,
            wrapping: given.handle(&WRAPPING)?,
            local: given.maybe(&LOCAL, Given::text)?,
            template: Template::parse(given)?,
        }))
    },
};

const TYPE: Argument = Argument::flag("-t", "key-type", Kind::Number, "Key type")
    .help("16 = GENERIC_SECRET, 18 = RC4, 21 = DES3, 31 = AES");
const FILE: Argument = Argument::flag("-f", "key-file", Kind::File, "Key filename")
    .help("file with the key's bytes: AES 16, 24, 32; DES3 24; generic 1 to 3584");
const WRAPPING: Argument = Argument::flag("-w", "wrapping-key-handle", Kind::Handle, "wrapping key handle")
    .help("handle of an AES key with OBJ_ATTR_ENCRYPT and OBJ_ATTR_UNWRAP");

struct ImSymKey {
    key_type: Wanted,
    file: String,
    wrapping: KeyHandle,
    local: Option<String>,
    template: Template,
}

enum Wanted {
    Imported(KeyType),
    Rc4,
}

impl Wanted {
    fn parse(number: u32) -> Result<Self, Usage> {
        match number {
            16 => Ok(Self::Imported(KeyType::GenericSecret)),
            18 => Ok(Self::Rc4),
            21 => Ok(Self::Imported(KeyType::TripleDes)),
            31 => Ok(Self::Imported(KeyType::Aes)),
            _ => Err(Usage::Wrong("Invalid key type specified.")),
        }
    }
}

impl Action for ImSymKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let Self { file, wrapping, local, template, .. } = *self;
        let Wanted::Imported(key_type) = self.key_type else {
            return Err(Stop::failed("\n RC4 is not allowed in FIPS mode\n\n Current FIPS mode: 00000002\n"));
        };
        let value = value_of(&file)?;
        if !is_length(key_type, value.len()) {
            let (length, number) = (value.len(), key_type.number());
            return Err(Stop::failed(line(&format!("Invalid key size {length} for key type {number}"))));
        }
        let class = KeyClass::Secret;
        Import { value, class, key_type, wrapping, local, template }.run(session, made)
    }
}

/// Checked here, as the HSM would only say that it cannot unwrap the value.
fn is_length(key_type: KeyType, length: usize) -> bool {
    match key_type {
        KeyType::Aes => [16, 24, 32].contains(&length),
        KeyType::TripleDes => length == 24,
        KeyType::GenericSecret => (1..=3584).contains(&length),
        KeyType::Rsa | KeyType::Ec | KeyType::Dsa => false,
    }
}

fn made(handles: &[KeyHandle]) -> String {
    handles.iter().map(|handle| line(&format!("Symmetric Key Unwrapped.  Key Handle: {handle}"))).collect()
}
