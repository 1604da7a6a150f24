//! `quit`

use crate::cmu::{Action, Command, Session, Stop};

pub(super) static COMMAND: Command = Command {
    name: "quit",
    arguments: &[],
    summary: "Disconnect from the servers and end the program",
    description: "Ends the program, in both modes. Ctrl-D on an empty line does the same.",
    example: "quit",
    permission: None,
    build: |_| Ok(Box::new(Quit)),
};

struct Quit;

impl Action for Quit {
    fn run(self: Box<Self>, _session: &mut Session<'_>) -> Result<(), Stop> {
        Err(Stop::Quit)
    }
}
