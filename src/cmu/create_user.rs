//! `createUser`

use super::caution::confirm;
use super::change::{Change, Choices};
use super::command::action;
use super::credentials::Credentials;
use super::{Action, Command, Outcome, Session};
use crate::protocol::user::{self, UserType};
use crate::protocol::{Operation, Refusal};

pub(super) static COMMAND: Command = Command {
    name: "createUser",
    arguments: "<user-type> <user-name> <password |-hpswd>",
    summary: "Create a user",
    description: "\
Creates a CO or a CU on every server, or in server mode on the one. A name has up to 31 letters, digits and
underscores; a password has 7 to 32 characters. -hpswd asks for the password, twice, without showing it. Nothing is
created anywhere before every server has said that it would.",
    example: "createUser CU alice -hpswd",
    access: Some(user::CreateUser::ACCESS),
    secret: Some(3),
    parse: |words| action(CreateUser(Credentials::parse(words)?)),
};

struct CreateUser(Credentials);

impl Action for CreateUser {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Outcome {
        let Credentials { type_word, name, password } = self.0;
        let Some(password) = password.chosen(session, "Enter password: ", "Re-enter password: ") else {
            return Outcome::Failed;
        };
        if let Err(outcome) = confirm(session) {
            return outcome;
        }
        Change {
            name: COMMAND.name,
            heading: Some(format!("Creating User {name}({type_word})")),
            context: |_, server| format!("creating user on {server} failed"),
            choices: Choices::RetryIgnoreAbort,
            again: format!("createUser {type_word} {name} -hpswd"),
            shown_by: "listUsers",
            is_so_already: Some(Refusal::UserExists),
            operation: user::CreateUser { user_type: UserType::parse(&type_word), name, password },
        }
        .run(session)
    }
}
