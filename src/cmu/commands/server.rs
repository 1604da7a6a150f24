//! `server`

use crate::cmu::arguments::SERVER;
use crate::cmu::session::no_such_server;
use crate::cmu::{Action, Command, Session, Stop};

pub(super) static COMMAND: Command = Command {
    name: "server",
    arguments: &[SERVER],
    summary: "Send commands to one server only (server mode)",
    description: "\
Enters server mode: the prompt shows the server's number, and commands go to that server only, until exit. Logins
are kept for each server, in both modes. A change in server mode makes HSMs differ: use it only for repairs. If the
server is not connected, the prompt still shows its number, and commands go to no other server.",
    example: "server 0",
    permission: None,
    build: |given| Ok(Box::new(EnterServerMode { number: given.number(&SERVER)? })),
};

struct EnterServerMode {
    number: usize,
}

impl Action for EnterServerMode {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        if session.server(self.number).is_none() {
            return Err(no_such_server(session, self.number));
        }
        session.reconnect(&[self.number]);
        // Even if the server is not connected: the commands that follow are meant for it and must not go to all
        // others.
        session.pinned = Some(self.number);
        let mode = match session.server(self.number) {
            Some(server) if !server.is_connected() => {
                return Err(Stop::failed(format!("{server} is not connected")));
            }
            Some(server) if server.is_trusted() => "E2",
            Some(_) | None => "Unencrypted",
        };
        session.console.print(&format!("Server is in '{mode}' mode...\n"));
        Ok(())
    }
}
