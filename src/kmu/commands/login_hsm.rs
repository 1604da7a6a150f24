//! `loginHSM`

use crate::console::Input;
use crate::kmu::command::{Need, Opt, Section, action};
use crate::kmu::flags::{Flags, Usage};
use crate::kmu::frame::returned;
use crate::kmu::session::states;
use crate::kmu::stop::{Printed, Stop, ended_on};
use crate::kmu::{Action, Code, Command, Session, State};
use crate::protocol::session::Login;
use crate::protocol::user::UserType;
use crate::protocol::{Operation, Refusal, Secret};

pub(super) static COMMAND: Command = Command {
    name: "loginHSM",
    section: Section::Admin,
    summary: "Login to the HSM",
    description: "Logs in to every HSM of the cluster. Five wrong passwords lock the user on the HSM that counted them.",
    options: &[
        Opt::required("-u", "<user type>", "User type", "type of the user: CU"),
        Opt {
            need: Need::Unless("-hpswd"),
            ..Opt::optional("-p", "<password>", "Password", "password, in clear")
        },
        Opt::switch("-hpswd", "asks for the password without showing it"),
        Opt::required("-s", "<username>", "Username", "name of the user"),
    ],
    shared: &[],
    example: "loginHSM -u CU -s example_user -hpswd",
    access: Some(Login::ACCESS),
    parse: |flags| action(LoginHsm::parse(flags)?),
};

struct LoginHsm {
    user_type: UserType,
    name: String,
    /// Asked for if there is none.
    password: Option<Secret>,
}

impl LoginHsm {
    fn parse(flags: &Flags<'_>) -> Result<Self, Usage> {
        let user_type = match UserType::parse(flags.text("-u")?) {
            UserType::Unknown => return Err(Usage::Wrong("Invalid user type specified.")),
            user_type => user_type,
        };
        if flags.has("-p") && flags.has("-hpswd") {
            return Err(Usage::NotUnderstood);
        }
        let password = flags.maybe("-p").map(|password| Secret::new(password.to_owned()));
        Ok(Self { user_type, name: flags.text("-s")?.to_owned(), password })
    }
}

impl Action for LoginHsm {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
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

/// A login counts where it was possible; an HSM that refuses it is another matter. Scripts know the client's number
/// for a wrong password, not the HSM's.
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
