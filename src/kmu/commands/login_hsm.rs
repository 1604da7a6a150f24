//! `loginHSM`

use crate::command::{Argument, Given, Kind, PROMPT, Permission, Usage};
use crate::console::Input;
use crate::kmu::frame::returned;
use crate::kmu::session::states;
use crate::kmu::stop::{Printed, Stop, ended_on};
use crate::kmu::{Action, Code, Command, Session, State};
use crate::protocol::session::Login;
use crate::protocol::user::UserType;
use crate::protocol::{Refusal, Secret};

pub(super) static COMMAND: Command = Command {
    name: "loginHSM",
    arguments: &[USER_TYPE, PASSWORD, USER_NAME],
    summary: "Login to the HSM",
    description: "Logs in to every HSM of the cluster. Five wrong passwords lock the user on the HSM that counted them.",
    example: "loginHSM -u CU -s example_user -hpswd",
    permission: Some(Permission::of::<Login>()),
    build: |given| Ok(Box::new(LoginHsm::parse(given)?)),
};

const USER_TYPE: Argument =
    Argument::flag("-u", "user type", Kind::UserType, "User type").help("type of the user: CU");
const PASSWORD: Argument = Argument::flag("-p", "password", Kind::Password, "Password")
    .help("password, in plain text")
    .or(&[PROMPT]);
const USER_NAME: Argument =
    Argument::flag("-s", "username", Kind::UserName, "Username").help("name of the user");

struct LoginHsm {
    user_type: UserType,
    name: String,
    /// `None` if the operator must be asked for it.
    password: Option<Secret>,
}

impl LoginHsm {
    fn parse(given: &Given<'_>) -> Result<Self, Usage> {
        let user_type = match UserType::parse(given.word(&USER_TYPE)?) {
            UserType::Unknown => return Err(Usage::Wrong("Invalid user type specified.")),
            user_type => user_type,
        };
        let password = given.maybe(&PASSWORD, Given::text)?.map(Secret::new);
        if password.is_some() && given.has(&PROMPT) {
            return Err(Usage::NotUnderstood);
        }
        Ok(Self { user_type, name: given.text(&USER_NAME)?, password })
    }
}

impl Action for LoginHsm {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        // Checked here, not by the HSMs: they let a CO and the AU log in, too.
        if !session.logins.include(self.user_type) {
            return Err(Stop::Failed(returned(CALL, Code::INVALID_USER_TYPE)));
        }
        let password = match self.password {
            Some(password) => password,
            None => match session.console.secret("Enter password: ") {
                Input::Given(password) => password,
                Input::Interrupted | Input::Ended => return Err(Stop::NoAnswer),
            },
        };
        let login = Login { user_type: self.user_type, name: self.name, password, second_factor: None };
        let states = states(&session.perform(&session.everywhere(), login));
        ended_on(CALL, result(&states), &states)
    }
}

const CALL: &str = "LoginHSM";

/// The result of a login. HSMs that were not reached do not matter if another one accepts it, but a refusal by any
/// HSM is a failure. For a wrong password scripts expect the code of the original's client, not that of the HSM.
fn result(states: &[State]) -> Code {
    let refused = states.iter().map(|(_, code)| *code).find(|code| !is_absent(*code));
    match refused {
        Some(code) if code == Refusal::LoginFailure.into() => Code::WRONG_PASSWORD,
        Some(code) => code,
        None if states.iter().any(|(_, code)| *code == Code::SUCCESS) => Code::SUCCESS,
        None => Code::of_none(states),
    }
}

fn is_absent(code: Code) -> bool {
    [Code::SUCCESS, Code::UNAVAILABLE].contains(&code)
}
