//! `getAttribute`

use data_encoding::HEXLOWER;

use crate::command::{Argument, Kind, Permission};
use crate::files::{Readers, write};
use crate::foreign::shown;
use crate::kmu::attest::{ATTEST, attest};
use crate::kmu::frame::returned;
use crate::kmu::session::first;
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::Refusal;
use crate::protocol::attribute::{ALL_ATTRIBUTES, Attribute, Attributes, ReadAttributes, Value};
use crate::protocol::key::KeyHandle;

pub(super) static COMMAND: Command = Command {
    name: "getAttribute",
    arguments: &[KEY, ATTRIBUTE, FILE, ATTEST],
    summary: "Reads an attribute from an object",
    description: "\
Writes one attribute of a key, or all, to a file. The previous content of the file is lost.",
    example: "getAttribute -o 6 -a 512 -out attr_6",
    permission: Some(Permission::of::<ReadAttributes>()),
    build: |given| {
        let (handle, number) = (given.handle(&KEY)?, given.number(&ATTRIBUTE)?);
        let (file, is_attested) = (given.text(&FILE)?, given.has(&ATTEST));
        Ok(Box::new(GetAttribute { handle, number, file, is_attested }))
    },
};

const KEY: Argument =
    Argument::flag("-o", "object handle", Kind::Handle, "Object handle").help("handle of the key");
const ATTRIBUTE: Argument = Argument::flag("-a", "attribute constant", Kind::Number, "Attribute ID")
    .help("as listAttributes shows it; 512 = all");
const FILE: Argument = Argument::flag("-out", "file", Kind::File, "Attribute File").help("file to write to");

struct GetAttribute {
    handle: KeyHandle,
    number: u32,
    file: String,
    is_attested: bool,
}

const CALL: &str = "GetAttribute";

impl Action for GetAttribute {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let answers = session.perform(&session.everywhere(), ReadAttributes { handle: self.handle });
        let failed = |code| Stop::Failed(returned(CALL, code));
        let attributes = first(answers).map_err(failed)?;
        let dump = dump(&attributes, self.number).ok_or_else(|| failed(Refusal::InvalidInput.into()))?;
        let Dump { summary, text } = dump;
        write(&self.file, text.as_bytes(), Readers::Everybody)
            .map_err(|reason| Stop::Failed(format!("\n\tError: {}: {reason}\n", self.file)))?;
        let text = format!("{summary}Attributes dumped into {} file\n", self.file);
        let text = text + &returned(CALL, Code::SUCCESS);
        if !self.is_attested {
            return Ok(text);
        }
        let holders = session.holders(self.handle);
        let verdict = attest(session, &holders, &[self.handle], &|attested| *attested == attributes);
        verdict.ended(text + &verdict.line())
    }
}

/// What to print, and what to write to the file.
struct Dump {
    summary: String,
    text: String,
}

/// `None` if the key has no such attribute.
fn dump(attributes: &Attributes, number: u32) -> Option<Dump> {
    if number == ALL_ATTRIBUTES {
        return Some(dump_all(attributes));
    }
    let attribute = Attribute::numbered(number)?;
    let value = one(&attributes.value(attribute)?, attribute);
    Some(Dump { summary: String::new(), text: format!("{}\n{value}\n", attribute.name()) })
}

/// The build of the tool whose output this one has dumps the attributes up to the public exponent.
const DUMPED: usize = 20;

fn dump_all(attributes: &Attributes) -> Dump {
    let mut text = String::new();
    let (mut size, mut count) = (32_usize, 0_usize);
    for attribute in Attribute::DUMPED.into_iter().take(DUMPED) {
        let Some(value) = attributes.value(attribute) else { continue };
        text.push_str(&format!("{}\n{}\n", attribute.name(), stored(&value, attribute)));
        size = size.saturating_add(8).saturating_add(width(&value));
        count = count.saturating_add(1);
    }
    Dump { summary: format!("\ngot all attributes of size {size} attr cnt {count}\n"), text }
}

/// The bytes that the original reserves for a value: for a label or an id, those of the longest one.
fn width(value: &Value) -> usize {
    match value {
        Value::Byte(_) => 1,
        Value::Number(_) => 4,
        Value::Text(_) => 128,
        Value::Bytes(bytes) => bytes.len(),
    }
}

/// One value of a dump of all: as wide as the HSM stores it.
fn stored(value: &Value, attribute: Attribute) -> String {
    match value {
        Value::Byte(byte) => format!("0x{byte:02x}"),
        Value::Number(number) => format!("0x{number:08x}"),
        Value::Text(text) => shown(text).into_owned(),
        Value::Bytes(bytes) if attribute == Attribute::Modulus => HEXLOWER.encode(bytes),
        Value::Bytes(bytes) => format!("0x{}", HEXLOWER.encode(bytes)),
    }
}

/// The only value of a dump: the original writes flags as wide as numbers.
fn one(value: &Value, attribute: Attribute) -> String {
    match value {
        Value::Byte(byte) => format!("0x{byte:08x}"),
        Value::Number(_) | Value::Text(_) | Value::Bytes(_) => stored(value, attribute),
    }
}
