//! `logoutHSM`

use crate::cmu::read::{read, success};
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::Permission;
use crate::protocol::session::Logout;

pub(super) static COMMAND: Command = Command {
    name: "logoutHSM",
    arguments: &[],
    summary: "Log out of the HSMs",
    description: "Ends the login on every server, or in server mode on that one. The connections are kept.",
    example: "logoutHSM",
    permission: Some(Permission::of::<Logout>()),
    build: |_| Ok(Box::new(LogoutHsm)),
};

struct LogoutHsm;

impl Action for LogoutHsm {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let success = success(session, COMMAND.name);
        read(session, COMMAND.name, Logout, |server, ()| success(server))
    }
}
