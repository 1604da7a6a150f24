//! `setAttribute`

use crate::command::{Argument, Kind, Permission};
use crate::console::Input;
use crate::kmu::session::states;
use crate::kmu::spread::spread;
use crate::kmu::stop::{Printed, Stop, ended_on};
use crate::kmu::{Action, Code, Command, Session, State};
use crate::protocol::attribute::{self, Attribute, Value};
use crate::protocol::key::KeyHandle;

pub(super) static COMMAND: Command = Command {
    name: "setAttribute",
    arguments: &[KEY, ATTRIBUTE],
    summary: "Sets an attribute of an object",
    description: "\
Makes a session key a token key and copies it to every HSM of the cluster under the same handle.",
    example: "setAttribute -o 6 -a 1",
    permission: Some(Permission::of::<attribute::SetAttribute>()),
    build: |given| {
        Ok(Box::new(SetAttribute { handle: given.handle(&KEY)?, number: given.number(&ATTRIBUTE)? }))
    },
};

const KEY: Argument =
    Argument::flag("-o", "object handle", Kind::Handle, "Object handle").help("handle of the key");
const ATTRIBUTE: Argument =
    Argument::flag("-a", "attribute constant", Kind::Number, "Attribute ID").help("1 = OBJ_ATTR_TOKEN");

struct SetAttribute {
    handle: KeyHandle,
    number: u32,
}

const CALL: &str = "SetAttribute";

impl Action for SetAttribute {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let Some(attribute @ Attribute::Token) = Attribute::numbered(self.number) else {
            return Err(Stop::failed("\n\tThis attribute is either not modifiable or unknown\n"));
        };
        let value = ask_flag(session)?;
        let set = attribute::SetAttribute { handle: self.handle, attribute, value: Value::Byte(value) };
        let mut states = set_where_it_is(session, set);
        let done = states.iter().find(|(_, code)| *code == Code::SUCCESS).map(|(node, _)| *node);
        // The key is a token key on one node now; like a new token key, it belongs on all others.
        if let Some(holder) = done {
            states = spread(session, holder, &[self.handle]).states();
        }
        ended_on(CALL, Code::of_all(&states), &states)
    }
}

/// Sets the attribute on the nodes that have the key. If none has, all are asked, so that their refusals can be shown.
fn set_where_it_is(session: &mut Session<'_>, set: attribute::SetAttribute) -> Vec<State> {
    let everywhere = session.everywhere();
    let holders = session.holders(set.handle);
    let scope = if holders.is_empty() { everywhere } else { holders };
    session.change(&scope, set).map_or_else(|refused| refused.0, |answers| states(&answers))
}

fn ask_flag(session: &mut Session<'_>) -> Result<u8, Stop> {
    session.print("\t\tThis attribute is defined as a boolean value.\n");
    let Input::Given(answer) = session.console.answer("\t\tEnter the boolean attribute value (0 or 1):")
    else {
        return Err(Stop::NoAnswer);
    };
    match answer.trim() {
        "0" => Ok(0),
        "1" => Ok(1),
        _ => Err(Stop::failed("\nError reading the user input value\n")),
    }
}
