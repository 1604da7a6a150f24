//! `exit`

use crate::cmu::{Action, Command, Session, Stop};

pub(super) static COMMAND: Command = Command {
    name: "exit",
    arguments: &[],
    summary: "Leave server mode",
    description: "Ends server mode: commands go to every server again. To end the program, use quit.",
    example: "exit",
    permission: None,
    build: |_| Ok(Box::new(Exit)),
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
