//! `logoutHSM`

use crate::kmu::command::{Section, action};
use crate::kmu::session::{answered, states};
use crate::kmu::stop::{Printed, ended_on};
use crate::kmu::{Action, Command, Session};
use crate::protocol::Operation;
use crate::protocol::session::Logout;

pub(super) static COMMAND: Command = Command {
    name: "logoutHSM",
    section: Section::Admin,
    summary: "Logout from the HSM",
    description: "Ends the login on every HSM of the cluster.",
    options: &[],
    shared: &[],
    example: "logoutHSM",
    access: Some(Logout::ACCESS),
    parse: |_| action(LogoutHsm),
};

struct LogoutHsm;

impl Action for LogoutHsm {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let answers = session.perform(&session.everywhere(), Logout);
        let code = answered(&answers);
        ended_on("LogoutHSM", code, &states(&answers))
    }
}
