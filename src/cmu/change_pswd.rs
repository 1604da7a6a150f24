//! `changePswd`

use super::caution::confirm;
use super::change::{Change, Choices};
use super::command::action;
use super::credentials::Credentials;
use super::{Action, Command, Outcome, Session};
use crate::protocol::Operation;
use crate::protocol::user::{self, UserType};

pub(super) static COMMAND: Command = Command {
    name: "changePswd",
    arguments: "<user-type> <user-name> <password |-hpswd>",
    summary: "Change a user's password",
    description: "\
Changes the password of a user on every server, or in server mode on the one, and forgets counted failures, which
unlocks the user. Everybody may change the own password, a CO everybody's. The user must not be logged in anywhere
else. The PRECO of a new HSM becomes a CO by this: that activates the HSM.",
    example: "changePswd PRECO admin -hpswd",
    access: Some(user::ChangePassword::ACCESS),
    secret: Some(3),
    parse: |words| action(ChangePswd(Credentials::parse(words)?)),
};

struct ChangePswd(Credentials);

impl Action for ChangePswd {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Outcome {
        let Credentials { type_word, name, password } = self.0;
        let Some(password) = password.chosen(session, "Enter new password: ", "Re-enter new password: ")
        else {
            return Outcome::Failed;
        };
        if let Err(outcome) = confirm(session) {
            return outcome;
        }
        Change {
            name: COMMAND.name,
            heading: Some(format!("Changing password for {name}({type_word})")),
            context: |_, server| {
                format!("Changing password on node {}({}) failed", server.number(), server.name())
            },
            choices: Choices::RetryIgnoreAbort,
            again: format!("changePswd {type_word} {name} -hpswd"),
            shown_by: "listUsers",
            is_so_already: None,
            operation: user::ChangePassword { user_type: UserType::parse(&type_word), name, password },
        }
        .run(session)
    }
}
