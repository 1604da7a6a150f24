//! `loginStatus`

use crate::kmu::frame::line;
use crate::kmu::stop::Printed;
use crate::kmu::{Action, Command, Session};
use crate::protocol::user::UserType;

pub(super) static COMMAND: Command = Command {
    name: "loginStatus",
    arguments: &[],
    summary: "Gets the Login Information",
    description: "Shows the type of the user who is logged in on at least one HSM. No HSM is contacted.",
    example: "loginStatus",
    permission: None,
    build: |_| Ok(Box::new(LoginStatus)),
};

struct LoginStatus;

impl Action for LoginStatus {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        Ok(line(&format!("{} has logged-in", who(session))))
    }
}

fn who(session: &Session<'_>) -> String {
    // Without a connection, `login` is that of the lost one.
    let mut connected = session.cluster.servers().iter().filter(|server| server.is_connected());
    let user_type: Option<UserType> = connected.find_map(|server| server.login().map(|who| who.user_type));
    user_type.map_or_else(|| "No user".to_owned(), |user_type| user_type.to_string())
}
