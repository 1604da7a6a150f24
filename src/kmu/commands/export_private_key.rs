//! `exportPrivateKey`

use crate::command::{Argument, Given, Kind, Permission};
use crate::kmu::frame::line;
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::transport::{Export, LOCAL, MECHANISM, attributes, must_be_aes_wrap, write_secret};
use crate::kmu::{Action, Command, Session, pem};
use crate::protocol::key::KeyClass;
use crate::protocol::wrap::WrapKey;

pub(super) static COMMAND: Command = Command {
    name: "exportPrivateKey",
    arguments: &[KEY, WRAPPING, OUT, MECHANISM, LOCAL],
    summary: "Exports RSA/DSA/EC private key",
    description: "\
Writes one of your extractable private keys to a file, in PEM (PKCS #8), in plaintext. The HSM encrypts it with the
wrapping key, and decrypts it for you alone; with -wk the tool decrypts it. If others must approve the use of a key,
each step uses up an approved token of service 5 (USE_KEY).",
    example: "exportPrivateKey -k 15 -w 16 -out exportKey.pem",
    permission: Some(Permission::of::<WrapKey>()),
    build: |given| {
        must_be_aes_wrap(given)?;
        Ok(Box::new(ExportPrivateKey(Export {
            handle: given.handle(&KEY)?,
            wrapping: given.handle(&WRAPPING)?,
            local: given.maybe(&LOCAL, Given::text)?,
            out: given.text(&OUT)?,
        })))
    },
};

const KEY: Argument = Argument::flag("-k", "private-key-handle", Kind::Handle, "Handle of key to export")
    .help("handle of the key to be exported");
const WRAPPING: Argument =
    Argument::flag("-w", "wrapping-key-handle", Kind::Handle, "Handle of wrapping Key")
        .help("handle of an AES key with OBJ_ATTR_WRAP and OBJ_ATTR_DECRYPT");
const OUT: Argument =
    Argument::flag("-out", "key-file", Kind::File, "Key File").help("file to write the key to");

struct ExportPrivateKey(Export);

impl Action for ExportPrivateKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let Self(export) = *self;
        let found = attributes(session, export.handle);
        if found.is_some_and(|attributes| attributes.class != KeyClass::Private) {
            return Err(Stop::failed(line(&format!("{} is not a private key", export.handle))));
        }
        let value = export.value(session)?;
        write_secret(&export.out, pem::encode("PRIVATE KEY", value.expose()).as_bytes())?;
        Ok(format!("\nPEM formatted private key is written to {}\n", export.out))
    }
}
