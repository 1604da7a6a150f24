//! `logoutHSM`

use crate::command::Permission;
use crate::kmu::session::{answered, states};
use crate::kmu::stop::{Printed, ended_on};
use crate::kmu::{Action, Command, Session};
use crate::protocol::session::Logout;

pub(super) static COMMAND: Command = Command {
    name: "logoutHSM",
    arguments: &[],
    summary: "Logout from the HSM",
    description: "Ends the login on every HSM of the cluster.",
    example: "logoutHSM",
    permission: Some(Permission::of::<Logout>()),
    build: |_| Ok(Box::new(LogoutHsm)),
};

struct LogoutHsm;

impl Action for LogoutHsm {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let answers = session.perform(&session.everywhere(), Logout);
        let code = answered(&answers);
        ended_on("LogoutHSM", code, &states(&answers))
    }
}
