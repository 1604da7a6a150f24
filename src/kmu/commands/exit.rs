//! `exit`

use crate::kmu::command::{Section, action};
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::{Action, Command, Session};

pub(super) static COMMAND: Command = Command {
    name: "exit",
    section: Section::Program,
    summary: "Exits this application",
    description: "Ends the session, and with it the login and the session keys.",
    options: &[],
    shared: &[],
    example: "exit",
    access: None,
    parse: |_| action(Exit),
};

struct Exit;

impl Action for Exit {
    fn run(self: Box<Self>, _: &mut Session<'_>) -> Printed {
        Err(Stop::Quit)
    }
}
