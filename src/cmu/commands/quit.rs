//! `quit`

use crate::cmu::command::action;
use crate::cmu::{Action, Command, Group, Session, Stop};

pub(super) static COMMAND: Command = Command {
    name: "quit",
    arguments: "",
    group: Group::Console,
    summary: "Disconnect from the servers and end the program",
    description: "Ends the program, in both modes. So does Ctrl-D on an empty line.",
    example: "quit",
    access: None,
    service: None,
    secret: None,
    parse: |words| {
        words.finish()?;
        action(Quit)
    },
};

struct Quit;

impl Action for Quit {
    fn run(self: Box<Self>, _session: &mut Session<'_>) -> Result<(), Stop> {
        Err(Stop::Quit)
    }
}
