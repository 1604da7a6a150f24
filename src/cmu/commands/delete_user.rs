//! `deleteUser`

use crate::cmu::change::{Change, Choices};
use crate::cmu::command::action;
use crate::cmu::failure::usual_context;
use crate::cmu::{Action, Command, Group, Outcome, Session};
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
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Outcome {
        let Self { type_word, name } = *self;
        Change {
            name: COMMAND.name,
            heading: Some(format!("Deleting user {name}({type_word})")),
            context: usual_context,
            choices: Choices::RetryRollBackIgnore,
            again: format!("deleteUser {type_word} {name}"),
            shown_by: "listUsers",
            is_so_already: Some(Refusal::NoSuchUser),
            operation: user::DeleteUser { user_type: UserType::parse(&type_word), name },
        }
        .run(session)
    }
}
