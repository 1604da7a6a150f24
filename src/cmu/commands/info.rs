//! `info`

use serde_json::{Value, json};

use crate::cluster::Server;
use crate::cmu::arguments::SERVER;
use crate::cmu::session::no_such_server;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::{Argument, Given};

pub(super) static COMMAND: Command = Command {
    name: "info",
    arguments: &[NUMBER],
    summary: "Show how servers are reached, and who is logged in",
    description: "\
Shows the name, address, connection and HSM id (partition) of a configured server, or of all of them, and the user
who is logged in there from this console.",
    example: "info server 0",
    permission: None,
    build: |given| match given.surplus() {
        Some(word) if !given.has(&NUMBER) => Err(given.invalid(&NUMBER, word, "the word server")),
        Some(_) | None => Ok(Box::new(Info { number: given.maybe(&NUMBER, Given::number)? })),
    },
};

const NUMBER: Argument = Argument { flag: Some("server"), ..SERVER }.optional();

struct Info {
    /// `None` means every server.
    number: Option<usize>,
}

impl Action for Info {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let numbers = match self.number {
            None => session.cluster.everywhere(),
            Some(number) if session.server(number).is_none() => {
                return Err(no_such_server(session, number));
            }
            Some(number) => vec![number],
        };
        session.reconnect(&numbers);
        let mut text = HEADER.to_owned();
        let mut result = Ok(());
        for number in numbers {
            let Some(server) = session.cluster.servers().get(number) else { continue };
            text.push_str(&row(server));
            if server.is_connected() {
                session.tally.known(number, data(server));
            } else {
                session.tally.missing(number, data(server), server.why_down());
                result = Err(Stop::Servers);
            }
        }
        session.console.print(&text);
        result
    }
}

fn data(server: &Server) -> Value {
    let dial = server.dial();
    // Without a connection this is the login of the lost one.
    let login = server.login().filter(|_| server.is_connected());
    json!({
        "hostname": dial.hostname,
        "port": dial.port,
        "connected": server.is_connected(),
        "trusted": server.is_connected() && server.is_trusted(),
        "login": login.map(|who| json!({ "type": who.user_type.to_string(), "name": who.name })),
    })
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
