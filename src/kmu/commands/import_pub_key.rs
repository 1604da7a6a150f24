//! `importPubKey`

use crate::command::{Argument, Kind, Permission};
use crate::kmu::create::{Report, candidates};
use crate::kmu::frame::line;
use crate::kmu::pem::public_key;
use crate::kmu::stop::Printed;
use crate::kmu::template::{ID, LABEL, MINIMUM, SESSION, TIMEOUT, Template};
use crate::kmu::transport::not_read;
use crate::kmu::{Action, Command, Session};
use crate::protocol::key::{self as protocol, CreatePublicKey, KeyHandle, PublicKeyInfo};

pub(super) static COMMAND: Command = Command {
    name: "importPubKey",
    arguments: &[LABEL, FILE, ID, MINIMUM, SESSION, TIMEOUT],
    summary: "Imports RSA/DSA/EC Public key",
    description: "\
Makes a public key of a file in PEM, and copies it to all HSMs under the same handle. Every CU may use it.",
    example: "importPubKey -l importedPublicKey -f public.pem",
    permission: Some(Permission::of::<CreatePublicKey>()),
    build: |given| Ok(Box::new(ImportPubKey { file: given.text(&FILE)?, template: Template::parse(given)? })),
};

const FILE: Argument =
    Argument::flag("-f", "key-file", Kind::File, "File name").help("file with the key in PEM");

struct ImportPubKey {
    file: String,
    template: Template,
}

impl Action for ImportPubKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let key = public_key(&self.file).map_err(|reason| not_read(&self.file, &reason))?;
        let operation = |template: protocol::Template| CreatePublicKey {
            key: PublicKeyInfo(key),
            label: template.label,
            id: template.id,
            lifetime: template.lifetime,
        };
        let report = Report { call: "CreatePublicKey", details: made };
        let makers = candidates(session);
        self.template.run(session, &makers, operation, |handle| vec![*handle], report)
    }
}

fn made(handles: &[KeyHandle]) -> String {
    handles.iter().map(|handle| line(&format!("Public Key Handle: {handle}"))).collect()
}
