//! `logoutHSM`

use crate::cmu::command::action;
use crate::cmu::read::{read, success};
use crate::cmu::{Action, Command, Group, Session, Stop};
use crate::protocol::Operation;
use crate::protocol::session::Logout;

pub(super) static COMMAND: Command = Command {
    name: "logoutHSM",
    arguments: "",
    group: Group::User,
    summary: "Log out of the HSMs",
    description: "Ends the login on every server, or in server mode on the one. The connections stay.",
    example: "logoutHSM",
    access: Some(Logout::ACCESS),
    service: Logout::SERVICE,
    secret: None,
    parse: |words| {
        words.finish()?;
        action(LogoutHsm)
    },
};

struct LogoutHsm;

impl Action for LogoutHsm {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let success = success(session, COMMAND.name);
        read(session, COMMAND.name, Logout, |server, ()| success(server))
    }
}
