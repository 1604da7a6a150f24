//! `listUsers`

use crate::cluster::Server;
use crate::cmu::read::read;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::Permission;
use crate::foreign::shown;
use crate::protocol::user::{self, UserRow};

pub(super) static COMMAND: Command = Command {
    name: "listUsers",
    arguments: &[],
    summary: "List the users of each HSM",
    description: "\
Shows the users of each server: id, type and name, whether a quorum key is registered, the number of failed logins
since the last successful one, and whether a second factor is needed. Users are not synchronized between HSMs:
compare the lists.",
    example: "listUsers",
    permission: Some(Permission::of::<user::ListUsers>()),
    build: |_| Ok(Box::new(ListUsers)),
};

struct ListUsers;

impl Action for ListUsers {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let known = session.known.clone();
        read(session, COMMAND.name, user::ListUsers, |server, users| {
            let text = show(server, &users);
            // Tab completes user names from the last list.
            known.users(server.number(), users);
            text
        })
    }
}

const HEADER: &str = "    User Id\t\tUser Type\tUser Name\t\t\t   MofnPubKey\t LoginFailureCnt\t 2FA\n";

fn show(server: &Server, users: &[UserRow]) -> String {
    let mut text = format!("Users on {server}:\nNumber of users found:{}\n\n{HEADER}", users.len());
    users.iter().for_each(|user| add_row(&mut text, user));
    text
}

/// Without `format!`, which pads with blanks one by one: a cluster has many HSMs with up to a thousand users each.
fn add_row(text: &mut String, user: &UserRow) {
    add_right(text, &user.id.0.to_string(), 10);
    text.push_str("\t\t");
    text.push_str(&user.user_type.to_string());
    text.push_str("\t\t");
    add_left(text, &shown(&user.name), 32);
    text.push('\t');
    add_right(text, yes_or_no(user.quorum_key), 3);
    add_right(text, &user.login_failures.to_string(), 16);
    text.push_str("\t\t");
    add_right(text, yes_or_no(user.second_factor), 4);
    text.push('\n');
}

fn add_left(text: &mut String, cell: &str, columns: usize) {
    text.push_str(cell);
    text.push_str(blanks(cell, columns));
}

/// Right-aligned in this many columns.
fn add_right(text: &mut String, cell: &str, columns: usize) {
    text.push_str(blanks(cell, columns));
    text.push_str(cell);
}

/// The blanks that pad a cell to this many columns.
fn blanks(cell: &str, columns: usize) -> &'static str {
    const BLANKS: &str = "                                ";
    BLANKS.get(..columns.saturating_sub(cell.chars().count())).unwrap_or_default()
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "YES" } else { "NO" }
}
