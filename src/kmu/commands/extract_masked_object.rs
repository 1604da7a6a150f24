//! `extractMaskedObject`

use crate::command::{Argument, Kind, Permission};
use crate::files::{Readers, write};
use crate::kmu::frame::{line, returned};
use crate::kmu::session::first;
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::key::KeyHandle;
use crate::protocol::masked::ExtractKey;

pub(super) static COMMAND: Command = Command {
    name: "extractMaskedObject",
    arguments: &[KEY, FILE],
    summary: "Extracts a masked object",
    description: "\
Writes a key with its attributes, owner and sharers to a file, encrypted for the HSMs of this clone family.",
    example: "extractMaskedObject -o 6 -out maskedObj",
    permission: Some(Permission::of::<ExtractKey>()),
    build: |given| {
        Ok(Box::new(ExtractMaskedObject { handle: given.handle(&KEY)?, file: given.text(&FILE)? }))
    },
};

const KEY: Argument =
    Argument::flag("-o", "object-handle", Kind::Handle, "Object handle").help("handle of the key");
const FILE: Argument =
    Argument::flag("-out", "object-file", Kind::File, "Masked Object File").help("file to write to");

struct ExtractMaskedObject {
    handle: KeyHandle,
    file: String,
}

const CALL: &str = "ExtractMaskedObject";

impl Action for ExtractMaskedObject {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        // Any node's object will do: they all hold the same key.
        let answers = session.perform(&session.everywhere(), ExtractKey { handle: self.handle });
        let object = first(answers).map_err(|code| Stop::Failed(returned(CALL, code)))?;
        write(&self.file, &object.0, Readers::Everybody).map_err(|reason| {
            let failed = "\n\tFailed to write masked object to a file. \n";
            Stop::failed(failed.to_owned() + &line(&format!("{}: {reason}", self.file)))
        })?;
        let about = format!("\nObject was masked and written to file \"{}\"\n", self.file);
        Ok(about + &returned(CALL, Code::SUCCESS))
    }
}
