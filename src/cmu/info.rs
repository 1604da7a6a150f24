//! `info`

use super::command::action;
use super::{Action, Command, Outcome, Session, Usage, Words};
use crate::cluster::Server;

pub(super) static COMMAND: Command = Command {
    name: "info",
    arguments: "server <server-number>",
    summary: "Show how a server is reached and who is logged in there",
    description: "\
Shows the name, address, connection and HSM id (partition) of a server of the configuration, and the user that this
console is logged in as there.",
    example: "info server 0",
    access: None,
    service: None,
    secret: None,
    parse,
};

struct Info {
    number: usize,
}

fn parse(mut words: Words<'_>) -> Result<Box<dyn Action>, Usage> {
    let word = words.next("the word server")?;
    if word != "server" {
        return Err(Usage::Invalid { word: word.to_owned(), expected: "the word server" });
    }
    let number = words.number("server-number")?;
    words.finish()?;
    action(Info { number })
}

impl Action for Info {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Outcome {
        if session.server(self.number).is_none() {
            return super::server::print_no_such_server(session, COMMAND.name, self.number);
        }
        session.reconnect(&[self.number]);
        let Some(server) = session.server(self.number) else { return Outcome::Failed };
        let text = format!("{HEADER}{}", row(server));
        let outcome = if server.is_connected() { Outcome::Done } else { Outcome::Failed };
        session.console.print(&text);
        outcome
    }
}

const HEADER: &str =
    "Id     \tName   \t\t\tHostname       \t Port  \tState  \t\tPartition      \t LoginState\n";

fn row(server: &Server) -> String {
    let dial = server.dial();
    let state = if server.is_connected() { "Connected" } else { "Not connected" };
    let login = match server.login().filter(|_| server.is_connected()) {
        Some(who) => format!("Logged in as '{who}'"),
        None => "Not logged in".to_owned(),
    };
    format!(
        "{:<7}\t{:<15}\t\t{:<15}\t{}\t{}\t{:<15}\t {}\n",
        server.number(),
        dial.name,
        dial.hostname,
        dial.port,
        state,
        server.hsm_id().unwrap_or("-"),
        login,
    )
}
