//! `insertMaskedObject`

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::command::{Argument, Kind, Permission};
use crate::kmu::create::{Conditions, Reach, Report, candidates, create};
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::template::{MINIMUM, TIMEOUT, WantedMinimum};
use crate::kmu::{Action, Command, Session};
use crate::protocol::key::KeyHandle;
use crate::protocol::masked::{Existing, InsertKey, Inserted, MaskedObject, Place};

pub(super) static COMMAND: Command = Command {
    name: "insertMaskedObject",
    arguments: &[FILE, MINIMUM, TIMEOUT],
    summary: "Inserts a masked object",
    description: "Inserts a masked key of this clone family as a separate key with a new handle.",
    example: "insertMaskedObject -f maskedObj",
    permission: Some(Permission::of::<InsertKey>()),
    build: |given| {
        let minimum = WantedMinimum::parse(given)?;
        Ok(Box::new(InsertMaskedObject { file: given.text(&FILE)?.into(), minimum }))
    },
};

const FILE: Argument =
    Argument::flag("-f", "filename", Kind::File, "File name").help("file that extractMaskedObject wrote");

struct InsertMaskedObject {
    file: PathBuf,
    minimum: WantedMinimum,
}

/// Larger than the masked object of any key.
const MAX_OBJECT: u64 = 64 * 1024;

impl Action for InsertMaskedObject {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let Ok(object) = read(&self.file) else {
            let name = self.file.display();
            return Err(Stop::Failed(format!("\n\tWARNING: Failed to read from the file \"{name}\".\n")));
        };
        let reach = Reach::AllNodes(self.minimum.on(session));
        let insert = InsertKey { object, place: Place::NewHandle, existing: Existing::Compare };
        let (makers, conditions) = (candidates(session), Conditions { reach, attested: None });
        let report = Report { call: "InsertMaskedObject", details };
        create(session, &makers, insert, new_handle, &conditions, report)
    }
}

fn read(file: &Path) -> io::Result<MaskedObject> {
    let mut object = Vec::new();
    File::open(file)?.take(MAX_OBJECT).read_to_end(&mut object)?;
    Ok(MaskedObject(object))
}

fn new_handle(inserted: &Inserted<KeyHandle>) -> Vec<KeyHandle> {
    let (Inserted::Created(handle)
    | Inserted::Equal(handle)
    | Inserted::Differs(handle, _)
    | Inserted::Replaced(handle)) = inserted;
    vec![*handle]
}

fn details(handles: &[KeyHandle]) -> String {
    handles.iter().map(|handle| format!("\tNew Key Handle: {handle}\n")).collect()
}
