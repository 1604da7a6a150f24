//! `exportPubKey`

use crate::command::{Argument, Kind, Permission};
use crate::kmu::frame::returned;
use crate::kmu::session::first;
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::transport::{must_be_writable, write_public};
use crate::kmu::{Action, Code, Command, Session, pem};
use crate::protocol::key::{KeyHandle, PublicKeyInfo, ReadPublicKey};

pub(super) static COMMAND: Command = Command {
    name: "exportPubKey",
    arguments: &[KEY, OUT],
    summary: "Exports RSA/DSA/EC Public key",
    description: "Writes a public key, whoever owns it, to a file in PEM.",
    example: "exportPubKey -k 10 -out public.pem",
    permission: Some(Permission::of::<ReadPublicKey>()),
    build: |given| Ok(Box::new(ExportPubKey { handle: given.handle(&KEY)?, out: given.text(&OUT)? })),
};

const KEY: Argument = Argument::flag("-k", "public-key-handle", Kind::Handle, "Key handle")
    .help("handle of the key to be exported");
const OUT: Argument =
    Argument::flag("-out", "key-file", Kind::File, "Key File").help("file to write the key to");

struct ExportPubKey {
    handle: KeyHandle,
    out: String,
}

const CALL: &str = "ExportPubKey";

impl Action for ExportPubKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        must_be_writable(&self.out)?;
        // Any node's answer will do: they all hold the same key.
        let answers = session.perform(&session.everywhere(), ReadPublicKey { handle: self.handle });
        let PublicKeyInfo(der) = first(answers).map_err(|code| Stop::Failed(returned(CALL, code)))?;
        write_public(&self.out, pem::encode("PUBLIC KEY", &der).as_bytes())?;
        let about = format!("\nPEM formatted public key is written to {}\n", self.out);
        Ok(about + &returned(CALL, Code::SUCCESS))
    }
}
