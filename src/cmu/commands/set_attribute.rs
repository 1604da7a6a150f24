//! `setAttribute`

use crate::cmu::attribute::attribute;
use crate::cmu::caution::confirm;
use crate::cmu::change::Change;
use crate::cmu::command::action;
use crate::cmu::{Action, Command, Group, Session, Stop, Usage, Words};
use crate::protocol::Operation;
use crate::protocol::attribute::{Attribute, Value};
use crate::protocol::key::{self, KeyHandle};

pub(in crate::cmu) static COMMAND: Command = Command {
    name: "setAttribute",
    arguments: "<key-handle> <attribute-id> <value>",
    group: Group::Key,
    summary: "Change an attribute of a key",
    description: "\
Changes an attribute of a key on every server, or in server mode on the one: the label (3) to another word, a flag to
0 or 1. The owner of the key sets 260 to 264, 266, 268, 370 and 528, too, a CO only whether the key is trusted (134).
listAttributes tells what the numbers are; the names that it shows can be given instead. Nothing is changed anywhere before every server has said that it would.",
    example: "setAttribute 14 261 0",
    access: Some(key::SetAttribute::ACCESS),
    service: key::SetAttribute::SERVICE,
    secret: None,
    parse: |mut words| {
        let handle = KeyHandle(words.number("key-handle")?);
        let attribute = attribute(&mut words)?;
        let value = value(attribute, &mut words)?;
        words.finish()?;
        action(SetAttribute { operation: key::SetAttribute { handle, attribute, value } })
    },
};

struct SetAttribute {
    operation: key::SetAttribute,
}

/// What the attribute is to be; the HSM says whether it can be that.
fn value(attribute: Attribute, words: &mut Words<'_>) -> Result<Value, Usage> {
    if matches!(attribute, Attribute::Label | Attribute::Id) {
        return Ok(Value::Text(words.next("value")?.to_owned()));
    }
    words.is_one("value").map(|is_one| Value::Byte(u8::from(is_one)))
}

impl Action for SetAttribute {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let Self { operation } = *self;
        confirm(session)?;
        let again = again(&operation);
        Change::new(COMMAND.name, operation, again, "getAttribute").run(session)
    }
}

fn again(operation: &key::SetAttribute) -> String {
    let value = match &operation.value {
        Value::Text(text) => text.clone(),
        Value::Byte(byte) => byte.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Bytes(_) => String::new(),
    };
    format!("{} {} {} {value}", COMMAND.name, operation.handle, operation.attribute.number())
}
