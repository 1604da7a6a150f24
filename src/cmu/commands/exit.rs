//! `exit`

use crate::cmu::command::action;
use crate::cmu::{Action, Command, Group, Session, Stop};

pub(super) static COMMAND: Command = Command {
    name: "exit",
    arguments: "",
    group: Group::Console,
    summary: "Leave server mode",
    description: "Ends server mode: commands go to every server again. quit ends the program.",
    example: "exit",
    access: None,
    service: None,
    secret: None,
    parse: |words| {
        words.finish()?;
        action(Exit)
    },
};

struct Exit;

impl Action for Exit {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        if session.pinned.take().is_some() {
            return Ok(());
        }
        Err(Stop::failed("not in server mode; quit ends the program"))
    }
}
