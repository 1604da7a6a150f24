//! `listUsers`

use std::fmt::Write;

use super::command::action;
use super::read::{read, shown};
use super::{Action, Command, Group, Outcome, Session};
use crate::cluster::Server;
use crate::protocol::Operation;
use crate::protocol::user::{self, UserRow};

pub(super) static COMMAND: Command = Command {
    name: "listUsers",
    arguments: "",
    group: Group::User,
    summary: "List the users of each HSM",
    description: "\
Shows the users that each server has: number, type and name, whether a quorum key is registered, how many wrong
passwords were counted since the last right one, and whether a second factor is needed. Users are not synchronised
between HSMs: compare the lists.",
    example: "listUsers",
    access: Some(user::ListUsers::ACCESS),
    service: user::ListUsers::SERVICE,
    secret: None,
    parse: |words| {
        words.finish()?;
        action(ListUsers)
    },
};

struct ListUsers;

impl Action for ListUsers {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Outcome {
        let known = session.known.clone();
        read(session, COMMAND.name, user::ListUsers, |server, users| {
            let text = show(server, &users);
            known.users(server.number(), users);
            text
        })
    }
}

const HEADER: &str = "    User Id\t\tUser Type\tUser Name\t\t\t   MofnPubKey\t LoginFailureCnt\t 2FA\n";

fn show(server: &Server, users: &[UserRow]) -> String {
    let mut text = format!("Users on {server}:\nNumber of users found:{}\n\n{HEADER}", users.len());
    for user in users {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{:>10}\t\t{}\t\t{:<32}\t{:>3} {:>15}\t\t {:>3}",
            user.id.0,
            user.user_type,
            shown(&user.name),
            yes_or_no(user.quorum_key),
            user.login_failures,
            yes_or_no(user.second_factor),
        );
    }
    text
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "YES" } else { "NO" }
}
