//! `extractMaskedObject`

use std::fs;

use crate::kmu::command::{Opt, Section, action};
use crate::kmu::frame::returned;
use crate::kmu::session::first;
use crate::kmu::{Action, Code, Command, Session};
use crate::outcome::Outcome;
use crate::protocol::Operation;
use crate::protocol::key::KeyHandle;
use crate::protocol::masked::ExtractKey;

pub(super) static COMMAND: Command = Command {
    name: "extractMaskedObject",
    section: Section::KeyTransfer,
    summary: "Extracts a masked object",
    description: "Writes a key with all that belongs to it to a file, encrypted for the HSMs of this clone family.",
    options: &[
        Opt::required("-o", "<object-handle>", "Object handle", "handle of the key"),
        Opt::required("-out", "<object-file>", "Masked Object File", "file to write to"),
    ],
    shared: &[],
    example: "extractMaskedObject -o 6 -out maskedObj",
    access: Some(ExtractKey::ACCESS),
    parse: |flags| {
        let handle = KeyHandle(flags.number("-o")?);
        action(ExtractMaskedObject { handle, file: flags.text("-out")?.to_owned() })
    },
};

struct ExtractMaskedObject {
    handle: KeyHandle,
    file: String,
}

const CALL: &str = "ExtractMaskedObject";

impl Action for ExtractMaskedObject {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Outcome {
        let answers = session.perform(&session.everywhere(), ExtractKey { handle: self.handle });
        let object = match first(answers) {
            Ok(object) => object,
            Err(code) => {
                session.print(&returned(CALL, code));
                return Outcome::Failed;
            }
        };
        if fs::write(&self.file, object.0).is_err() {
            session.print("\n\tFailed to write masked object to a file. \n");
            return Outcome::Failed;
        }
        session.print(&format!("\nObject was masked and written to file \"{}\"\n", self.file));
        session.print(&returned(CALL, Code::SUCCESS));
        Outcome::Done
    }
}
