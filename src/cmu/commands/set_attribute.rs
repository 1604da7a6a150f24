//! `setAttribute`

use crate::cmu::arguments::KEY_HANDLE;
use crate::cmu::attribute::{SETTABLE, settable};
use crate::cmu::caution::confirm;
use crate::cmu::change::Change;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::{Argument, Kind, Permission};
use crate::protocol::attribute::{self, Attribute, Value};

pub(in crate::cmu) static COMMAND: Command = Command {
    name: "setAttribute",
    arguments: &[KEY_HANDLE, SETTABLE, VALUE],
    summary: "Change an attribute of a key",
    description: "\
Changes an attribute of a key on every server, or in server mode on that one: the label (3) to another word, a flag
to 0 or 1. The owner of the key can also set 260 to 264, 266, 268, 370 and 528, a CO only whether the key is
trusted (134). listAttributes shows the numbers, and the names that can be used instead. Nothing is changed unless
every server agrees.",
    example: "setAttribute 14 261 0",
    permission: Some(Permission::of::<attribute::SetAttribute>()),
    build: |given| {
        let (handle, attribute) = (given.handle(&KEY_HANDLE)?, settable(given)?);
        let is_text = matches!(attribute, Attribute::Label | Attribute::Id);
        let value =
            if is_text { Value::Text(given.text(&VALUE)?) } else { Value::Byte(given.is_one(&VALUE)?.into()) };
        Ok(Box::new(SetAttribute { operation: attribute::SetAttribute { handle, attribute, value } }))
    },
};

/// The HSM says whether the attribute can have it.
const VALUE: Argument = Argument::word("value", Kind::Text);

struct SetAttribute {
    operation: attribute::SetAttribute,
}

impl Action for SetAttribute {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let Self { operation } = *self;
        confirm(session)?;
        let again = again(&operation);
        Change::new(COMMAND.name, operation, again, "getAttribute").run(session)
    }
}

fn again(operation: &attribute::SetAttribute) -> String {
    let value = match &operation.value {
        Value::Text(text) => text.clone(),
        Value::Byte(byte) => byte.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Bytes(_) => String::new(),
    };
    format!("{} {} {} {value}", COMMAND.name, operation.handle, operation.attribute.number())
}
