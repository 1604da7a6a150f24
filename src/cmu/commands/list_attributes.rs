//! `listAttributes`

use super::help::page;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::Argument;
use crate::protocol::attribute::{ALL_ATTRIBUTES, ALL_ATTRIBUTES_NAME, Attribute};

pub(super) static COMMAND: Command = Command {
    name: "listAttributes",
    arguments: &[HELP],
    summary: "List the attributes of keys, with their numbers",
    description: "\
Lists the names and numbers of attributes; getAttribute and setAttribute take either. 512 (OBJ_ATTR_ALL) means all
attributes, in getAttribute only.",
    example: "listAttributes",
    permission: None,
    build: |given| Ok(Box::new(ListAttributes { is_help: given.has(&HELP) })),
};

const HELP: Argument = Argument::switch("-h");

struct ListAttributes {
    is_help: bool,
}

impl Action for ListAttributes {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let text = if self.is_help { page(&COMMAND) } else { list() };
        session.console.print(&text);
        Ok(())
    }
}

fn list() -> String {
    let mut text = String::from("Following are the possible attribute values for getAttribute:\n\n");
    let named = Attribute::ALL.iter().map(|attribute| (attribute.name(), attribute.number()));
    for (name, number) in named.chain([(ALL_ATTRIBUTES_NAME, ALL_ATTRIBUTES)]) {
        text.push_str(&format!("      {name:<32}= {number}\n"));
    }
    text
}
