//! `server`

use crate::cmu::command::action;
use crate::cmu::{Action, Command, Group, Outcome, Session};

pub(super) static COMMAND: Command = Command {
    name: "server",
    arguments: "<server-number>",
    group: Group::Console,
    summary: "Send commands to one server only (server mode)",
    description: "\
Enters server mode: the prompt shows the server's number, and commands go to that server only, until exit. Logins
are kept for each server, in both modes. A change made in server mode makes HSMs differ: that is for mending. Of a
server that is not connected the prompt shows the number, too: commands for it go to no other.",
    example: "server 0",
    access: None,
    service: None,
    secret: None,
    parse: |mut words| {
        let number = words.number("server-number")?;
        words.finish()?;
        action(EnterServerMode { number })
    },
};

struct EnterServerMode {
    number: usize,
}

impl Action for EnterServerMode {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Outcome {
        if session.server(self.number).is_none() {
            return print_no_such_server(session, COMMAND.name, self.number);
        }
        session.reconnect(&[self.number]);
        session.pinned = Some(self.number);
        let mode = match session.server(self.number) {
            // In server mode all the same: what was meant for this one must not go to all the others.
            Some(server) if !server.is_connected() => {
                let text = format!("server failed: {server} is not connected\n");
                session.console.print(&text);
                return Outcome::Failed;
            }
            Some(server) if server.is_trusted() => "E2",
            Some(_) | None => "Unencrypted",
        };
        session.console.print(&format!("Server is in '{mode}' mode...\n"));
        Outcome::Done
    }
}

/// What a server number that the configuration does not have brings.
pub(in crate::cmu) fn print_no_such_server(
    session: &mut Session<'_>,
    command: &str,
    number: usize,
) -> Outcome {
    let last = session.cluster.servers().len().saturating_sub(1);
    session
        .console
        .print(&format!("{command} failed: there is no server {number}, the numbers are 0 to {last}\n"));
    Outcome::Failed
}
