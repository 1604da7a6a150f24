//! `exSymKey`

use crate::command::{Argument, Given, Kind, Permission};
use crate::kmu::frame::line;
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::transport::{Export, LOCAL, MECHANISM, attributes, must_be_aes_wrap, write_secret};
use crate::kmu::{Action, Command, Session};
use crate::protocol::key::KeyClass;
use crate::protocol::wrap::WrapKey;

pub(super) static COMMAND: Command = Command {
    name: "exSymKey",
    arguments: &[KEY, WRAPPING, OUT, MECHANISM, LOCAL],
    summary: "Exports a Symmetric key",
    description: "\
Writes the value of one of your extractable symmetric keys to a file, in plaintext. The HSM encrypts it with the
wrapping key, and decrypts it for you alone; with -wk the tool decrypts it. If others must approve the use of a key,
each step uses up an approved token of service 5 (USE_KEY).",
    example: "exSymKey -k 8 -w 6 -out aes256_H8.key",
    permission: Some(Permission::of::<WrapKey>()),
    build: |given| {
        must_be_aes_wrap(given)?;
        Ok(Box::new(ExSymKey(Export {
            handle: given.handle(&KEY)?,
            wrapping: given.handle(&WRAPPING)?,
            local: given.maybe(&LOCAL, Given::text)?,
            out: given.text(&OUT)?,
        })))
    },
};

const KEY: Argument = Argument::flag("-k", "key-to-export", Kind::Handle, "Handle of key to export")
    .help("handle of the key to be exported");
const WRAPPING: Argument = Argument::flag("-w", "wrapping-key", Kind::Handle, "Handle of wrapping Key")
    .help("handle of an AES key with OBJ_ATTR_WRAP and OBJ_ATTR_DECRYPT");
const OUT: Argument =
    Argument::flag("-out", "key-file", Kind::File, "Key File").help("file to write the key to");

struct ExSymKey(Export);

impl Action for ExSymKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let Self(export) = *self;
        let found = attributes(session, export.handle);
        if found.is_some_and(|attributes| attributes.class != KeyClass::Secret) {
            return Err(Stop::failed(line(&format!("{} is not a symmetric key", export.handle))));
        }
        let value = export.value(session)?;
        write_secret(&export.out, value.expose())?;
        // The original has one empty line more after the step that -wk leaves out.
        let gap = if export.local.is_some() { "\n" } else { "\n\n" };
        Ok(format!("{gap}Wrapped Symmetric Key written to file \"{}\"\n", export.out))
    }
}
