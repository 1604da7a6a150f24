//! `loginHSM`

use super::command::action;
use super::password::Password;
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
    parse: |mut words| {
        let user_type = UserType::parse(words.next("user-type")?);
        let name = words.next("user-name")?.to_owned();
        let password = Password::parse(words.next("password")?);
        words.finish()?;
        action(LoginHsm { user_type, name, password })
    },
};

struct LoginHsm {
    user_type: UserType,
    name: String,
    password: Password,
}

impl Action for LoginHsm {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Outcome {
        let Some(password) = self.password.given(session, "Enter password: ") else { return Outcome::Failed };
        let login = Login { user_type: self.user_type, name: self.name, password };
        let success = success(session, COMMAND.name);
        read(session, COMMAND.name, login, |server, ()| success(server))
    }
}
