//! `setAttribute`

use crate::console::Input;
use crate::kmu::command::{Opt, Section, action};
use crate::kmu::create::spread;
use crate::kmu::frame::{returned, status};
use crate::kmu::session::{outcome, states};
use crate::kmu::{Action, Code, Command, Session, State};
use crate::outcome::Outcome;
use crate::protocol::Operation;
use crate::protocol::attribute::{Attribute, Value};
use crate::protocol::key::{self, KeyHandle};

pub(super) static COMMAND: Command = Command {
    name: "setAttribute",
    section: Section::KeyManagement,
    summary: "Sets an attribute of an object",
    description: "Makes a session key a token key, which every HSM of the cluster has, under the same handle.",
    options: &[
        Opt::required("-o", "<object handle>", "Object handle", "handle of the key"),
        Opt::required("-a", "<attribute constant>", "Attribute ID", "1 = OBJ_ATTR_TOKEN"),
    ],
    shared: &[],
    example: "setAttribute -o 6 -a 1",
    access: Some(key::SetAttribute::ACCESS),
    parse: |flags| {
        action(SetAttribute { handle: KeyHandle(flags.number("-o")?), number: flags.number("-a")? })
    },
};

struct SetAttribute {
    handle: KeyHandle,
    number: u32,
}

const CALL: &str = "SetAttribute";

impl Action for SetAttribute {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Outcome {
        let Some(attribute @ Attribute::Token) = Attribute::numbered(self.number) else {
            session.print("\n\tThis attribute is either not modifiable or unknown\n");
            return Outcome::Failed;
        };
        let Some(value) = ask_flag(session) else { return Outcome::Failed };
        let set = key::SetAttribute { handle: self.handle, attribute, value: Value::Byte(value) };
        let mut states = set_where_it_is(session, set);
        let done = states.iter().find(|(_, code)| *code == Code::SUCCESS).map(|(node, _)| *node);
        if let Some(holder) = done {
            states = spread(session, holder, &[self.handle]).states();
        }
        let code = Code::of_all(&states);
        session.print(&(returned(CALL, code) + &status(&states)));
        outcome(code)
    }
}

/// Nodes that do not have the key are left out, if any has it.
fn set_where_it_is(session: &mut Session<'_>, set: key::SetAttribute) -> Vec<State> {
    let everywhere = session.everywhere();
    let holders = session.holders(set.handle);
    let scope = if holders.is_empty() { everywhere } else { holders };
    let answers = session.perform(&scope, set);
    states(&answers)
}

fn ask_flag(session: &mut Session<'_>) -> Option<u8> {
    session.print("\t\tThis attribute is defined as a boolean value.\n");
    let Input::Given(answer) = session.console.answer("\t\tEnter the boolean attribute value (0 or 1):")
    else {
        return None;
    };
    match answer.trim() {
        "0" => Some(0),
        "1" => Some(1),
        _ => {
            session.print("\nError reading the user input value\n");
            None
        }
    }
}
