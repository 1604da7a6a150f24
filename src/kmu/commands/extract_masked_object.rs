//! `extractMaskedObject`

use std::fs;

use crate::kmu::command::{Opt, Section, action};
use crate::kmu::frame::returned;
use crate::kmu::session::first;
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::{Action, Code, Command, Session};
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
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let answers = session.perform(&session.everywhere(), ExtractKey { handle: self.handle });
        let object = first(answers).map_err(|code| Stop::Failed(returned(CALL, code)))?;
        if fs::write(&self.file, object.0).is_err() {
            return Err(Stop::failed("\n\tFailed to write masked object to a file. \n"));
        }
        let about = format!("\nObject was masked and written to file \"{}\"\n", self.file);
        Ok(about + &returned(CALL, Code::SUCCESS))
    }
}
