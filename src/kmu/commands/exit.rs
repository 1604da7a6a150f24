//! `exit`

use crate::kmu::stop::{Printed, Stop};
use crate::kmu::{Action, Command, Session};

pub(super) static COMMAND: Command = Command {
    name: "exit",
    arguments: &[],
    summary: "Exits this application",
    description: "Ends the session, which also ends the login and deletes session keys.",
    example: "exit",
    permission: None,
    build: |_| Ok(Box::new(Exit)),
};

struct Exit;

impl Action for Exit {
    fn run(self: Box<Self>, _: &mut Session<'_>) -> Printed {
        Err(Stop::Quit)
    }
}
