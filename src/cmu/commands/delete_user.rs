//! `deleteUser`

use crate::cmu::change::{Change, Choices};
use crate::cmu::command::action;
use crate::cmu::{Action, Command, Group, Session, Stop};
use crate::protocol::user::{self, UserType};
use crate::protocol::{Operation, Refusal};

pub(super) static COMMAND: Command = Command {
    name: "deleteUser",
    arguments: "<user-type> <user-name>",
    group: Group::User,
    summary: "Delete a user",
    description: "\
Deletes a CO or a CU from every server, or in server mode from the one. A user who is logged in is not deleted. It
asks nothing before, but deletes nowhere unless every server has said that it would.",
    example: "deleteUser CU alice",
    access: Some(user::DeleteUser::ACCESS),
    service: user::DeleteUser::SERVICE,
    secret: None,
    parse: |mut words| {
        let type_word = words.next("user-type")?.to_owned();
        let name = words.next("user-name")?.to_owned();
        words.finish()?;
        action(DeleteUser { type_word, name })
    },
};

struct DeleteUser {
    type_word: String,
    name: String,
}

impl Action for DeleteUser {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let Self { type_word, name } = *self;
        let again = format!("deleteUser {type_word} {name}");
        let operation = user::DeleteUser { user_type: UserType::parse(&type_word), name: name.clone() };
        Change {
            heading: Some(format!("Deleting user {name}({type_word})")),
            choices: Choices::RetryRollBackIgnore,
            is_so_already: Some(Refusal::NoSuchUser),
            ..Change::new(COMMAND.name, operation, again, "listUsers")
        }
        .run(session)
    }
}
