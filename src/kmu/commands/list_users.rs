//! `listUsers`

use crate::command::Permission;
use crate::foreign::shown;
use crate::kmu::frame::returned;
use crate::kmu::session::first;
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::user::{self, UserRow};

pub(super) static COMMAND: Command = Command {
    name: "listUsers",
    arguments: &[],
    summary: "Lists all users of a partition",
    description: "Shows the users of the first HSM that answers.",
    example: "listUsers",
    permission: Some(Permission::of::<user::ListUsers>()),
    build: |_| Ok(Box::new(ListUsers)),
};

struct ListUsers;

const CALL: &str = "ListUsers";

impl Action for ListUsers {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let answers = session.perform(&session.everywhere(), user::ListUsers);
        let users = first(answers).map_err(|code| Stop::Failed(returned(CALL, code)))?;
        Ok(show(&users) + &returned(CALL, Code::SUCCESS))
    }
}

const HEADER: &str =
    "\tIndex\t    User ID    \tUser Type\tUser Name\t\t\t   MofnPubKey\t LoginFailureCnt\t 2FA\n";

fn show(users: &[UserRow]) -> String {
    let mut text = format!("\n\tNumber Of Users found {}\n\n{HEADER}", users.len());
    for (index, user) in (1..).zip(users) {
        text.push_str(&format!(
            "\t{index}\t{:>10}\t{}\t\t{:<32}\t{:>3} {:>15}\t\t {:>3}\n",
            user.id.0,
            user.user_type,
            shown(&user.name),
            yes_or_no(user.quorum_key),
            user.login_failures,
            yes_or_no(user.second_factor),
        ));
    }
    text
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "YES" } else { "NO" }
}
