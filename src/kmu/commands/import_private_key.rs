//! `importPrivateKey`

use crate::command::{Argument, Given, Kind, Permission};
use crate::kmu::attest::ATTEST;
use crate::kmu::frame::line;
use crate::kmu::pem::{PrivateKeyFile, private_key};
use crate::kmu::stop::Printed;
use crate::kmu::template::{ID, LABEL, M_VALUE, MINIMUM, SESSION, TIMEOUT, Template, USERS};
use crate::kmu::transport::{Import, LOCAL, not_read};
use crate::kmu::{Action, Command, Session};
use crate::protocol::key::{KeyClass, KeyHandle};
use crate::protocol::wrap::UnwrapKey;

pub(super) static COMMAND: Command = Command {
    name: "importPrivateKey",
    arguments: &[LABEL, FILE, WRAPPING, ID, M_VALUE, MINIMUM, SESSION, TIMEOUT, USERS, LOCAL, ATTEST],
    summary: "Imports RSA/DSA/EC private key",
    description: "\
Makes a private key of a file in PEM, and copies it to all HSMs under the same handle. The HSM encrypts the key with the
wrapping key, and decrypts it inside; with -wk the tool encrypts it. If others must approve the use of the wrapping key,
each step uses up an approved token of service 5 (USE_KEY). RSA keys have 2048 to 4096 bits; EC keys are on P-256,
P-384, P-521 or secp256k1.",
    example: "importPrivateKey -f rsa2048.key -l rsa2048-imported -w 6",
    permission: Some(Permission::of::<UnwrapKey>()),
    build: |given| {
        Ok(Box::new(ImportPrivateKey {
            file: given.text(&FILE)?,
            wrapping: given.handle(&WRAPPING)?,
            local: given.maybe(&LOCAL, Given::text)?,
            template: Template::parse(given)?,
        }))
    },
};

const FILE: Argument = Argument::flag("-f", "key-file", Kind::File, "File name")
    .help("file with an unencrypted key in PEM: PKCS #8, or the older encodings of RSA, EC and DSA keys");
const WRAPPING: Argument = Argument::flag("-w", "wrapping-key-handle", Kind::Handle, "wrapping key handle")
    .help("handle of an AES key with OBJ_ATTR_ENCRYPT and OBJ_ATTR_UNWRAP");

struct ImportPrivateKey {
    file: String,
    wrapping: KeyHandle,
    local: Option<String>,
    template: Template,
}

impl Action for ImportPrivateKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let Self { file, wrapping, local, template } = *self;
        let (value, key_type) = match private_key(&file).map_err(|reason| not_read(&file, &reason))? {
            PrivateKeyFile::Real(key) => (key.pkcs8, key.key_type),
            PrivateKeyFile::Handle(handle) => {
                let reason = format!("it holds the handle {handle} of a key, not a key");
                return Err(not_read(&file, &reason));
            }
        };
        session.print(&format!("\nBER encoded key length is {}\n", value.len()));
        let class = KeyClass::Private;
        Import { value, class, key_type, wrapping, local, template }.run(session, made)
    }
}

fn made(handles: &[KeyHandle]) -> String {
    handles.iter().map(|handle| line(&format!("Private Key Unwrapped.  Key Handle: {handle}"))).collect()
}
