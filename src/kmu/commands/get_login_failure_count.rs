//! `getLoginFailureCount`

use crate::command::{Argument, Kind, Permission, Usage};
use crate::kmu::frame::{line, returned, status};
use crate::kmu::session::states;
use crate::kmu::stop::{Printed, ended};
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::user::{ListUsers, UserRow, UserType};

pub(super) static COMMAND: Command = Command {
    name: "getLoginFailureCount",
    arguments: &[USER_TYPE, USER_NAME],
    summary: "Gets the login failure count of a user",
    description: "\
Shows how many wrong passwords each HSM has counted since the user's last login there. Five lock the user on that HSM,
until a CO changes the password.",
    example: "getLoginFailureCount -u CU -s example_user",
    permission: Some(Permission::of::<ListUsers>()),
    build: |given| match UserType::parse(given.word(&USER_TYPE)?) {
        UserType::Unknown => Err(Usage::Wrong("Invalid user type specified.")),
        user_type => Ok(Box::new(GetLoginFailureCount { user_type, name: given.text(&USER_NAME)? })),
    },
};

const USER_TYPE: Argument =
    Argument::flag("-u", "user type", Kind::UserType, "User type").help("type of the user: CU, CO, AU");
const USER_NAME: Argument =
    Argument::flag("-s", "username", Kind::UserName, "Username").help("name of the user");

struct GetLoginFailureCount {
    user_type: UserType,
    name: String,
}

impl Action for GetLoginFailureCount {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let answers = session.perform(&session.everywhere(), ListUsers);
        let (mut states, mut counts) = (states(&answers), String::new());
        for ((_, code), (node, users)) in states.iter_mut().zip(&answers) {
            let Ok(users) = users else { continue };
            match users.iter().find(|user| self.is(user)) {
                Some(user) => counts
                    .push_str(&line(&format!("Node id {node} Login failure count: {}", user.login_failures))),
                None => *code = Code::NO_SUCH_USER,
            }
        }
        let code = Code::of_all(&states);
        ended(code, counts + &returned("GetLoginFailureCount", code) + &status(&states))
    }
}

impl GetLoginFailureCount {
    fn is(&self, user: &UserRow) -> bool {
        user.user_type == self.user_type && user.name == self.name
    }
}
