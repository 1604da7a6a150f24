//! `deleteUser`

use crate::cmu::arguments::{USER_NAME, USER_TYPE};
use crate::cmu::change::{AlreadyDone, Change, Choices};
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::Permission;
use crate::protocol::Refusal;
use crate::protocol::user::{self, UserType};

pub(super) static COMMAND: Command = Command {
    name: "deleteUser",
    arguments: &[USER_TYPE, USER_NAME],
    summary: "Delete a user",
    description: "\
Deletes a CO, a PRECO or a CU from every server, or in server mode from that one. A user who is logged in cannot be
deleted. The command does not ask for confirmation, but deletes nothing unless every server agrees.",
    example: "deleteUser CU alice",
    permission: Some(Permission::of::<user::DeleteUser>()),
    build: |given| {
        let (type_word, name) = (given.text(&USER_TYPE)?, given.text(&USER_NAME)?);
        Ok(Box::new(DeleteUser { type_word, name }))
    },
};

struct DeleteUser {
    type_word: String,
    name: String,
}

impl Action for DeleteUser {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        // No banner: the original's guide shows none for deleteUser, and another question after a failure.
        let Self { type_word, name } = *self;
        let again = format!("deleteUser {type_word} {name}");
        let operation = user::DeleteUser { user_type: UserType::parse(&type_word), name: name.clone() };
        Change {
            heading: Some(format!("Deleting user {name}({type_word})")),
            choices: Choices::RetryRollBackIgnore,
            already_done: Some(AlreadyDone {
                by_another: Refusal::NoSuchUser,
                by_this: Refusal::DeletedAlready,
            }),
            ..Change::new(COMMAND.name, operation, again, "listUsers")
        }
        .run(session)
    }
}
