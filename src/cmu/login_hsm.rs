//! `loginHSM`

use super::command::action;
use super::credentials::Credentials;
use super::read::{read, success};
use super::{Action, Command, Outcome, Session};
use crate::protocol::Operation;
use crate::protocol::session::Login;
use crate::protocol::user::UserType;

pub(super) static COMMAND: Command = Command {
    name: "loginHSM",
    arguments: "<user-type> <user-name> <password |-hpswd>",
    summary: "Log in to the HSMs",
    description: "\
Logs in to every server, or in server mode to the one. The types are PRECO, CO, CU and AU; type and password are
case-sensitive, the name is not. -hpswd asks for the password without showing it. Five wrong passwords lock the
user on the HSM that counted them; changePswd by a CO unlocks. Whoever is logged in already is replaced.",
    example: "loginHSM CO admin -hpswd",
    access: Some(Login::ACCESS),
    secret: Some(3),
    parse: |words| action(LoginHsm(Credentials::parse(words)?)),
};

struct LoginHsm(Credentials);

impl Action for LoginHsm {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Outcome {
        let Credentials { type_word, name, password } = self.0;
        let Some(password) = password.given(session, "Enter password: ") else { return Outcome::Failed };
        let login = Login { user_type: UserType::parse(&type_word), name, password };
        let success = success(session, COMMAND.name);
        read(session, COMMAND.name, login, |server, ()| success(server))
    }
}
