//! `closeSessions`

use crate::cmu::arguments::{USER_NAME, USER_TYPE};
use crate::cmu::change::Change;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::Permission;
use crate::protocol::user::{EndSessions, UserType};

pub(super) static COMMAND: Command = Command {
    name: "closeSessions",
    arguments: &[USER_TYPE, USER_NAME],
    summary: "Log a user out everywhere",
    description: "\
Logs a user out of every session on every server, or in server mode on that one, but not out of yours. Session keys
of those sessions are deleted. Then changePswd and deleteUser, which refuse while the user is logged in, can follow:
the way to lock out somebody who has stolen a password. The original has no such command.",
    example: "closeSessions CU alice",
    permission: Some(Permission::of::<EndSessions>()),
    build: |given| {
        let (type_word, name) = (given.text(&USER_TYPE)?, given.text(&USER_NAME)?);
        Ok(Box::new(CloseSessions { type_word, name }))
    },
};

struct CloseSessions {
    type_word: String,
    name: String,
}

impl Action for CloseSessions {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let Self { type_word, name } = *self;
        let again = format!("closeSessions {type_word} {name}");
        let operation = EndSessions { user_type: UserType::parse(&type_word), name };
        Change::new(COMMAND.name, operation, again, "listUsers").run(session)
    }
}
