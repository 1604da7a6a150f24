//! `getToken`

use crate::cluster::{Answer, Failure, Server};
use crate::cmu::arguments::{KEY_HANDLE, SERVICE, USER_NAME, service};
use crate::cmu::failure::print_failure;
use crate::cmu::read::{ask_all, success};
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::{Argument, Kind, Permission, Usage};
use crate::files::NotWritten;
use crate::foreign::shown;
use crate::protocol::key::KeyHandle;
use crate::protocol::quorum::{self, Token, TokenAbout};
use crate::signing::token_file;

pub(super) static COMMAND: Command = Command {
    name: "getToken",
    arguments: &[SERVICE, USER_NAME, FILE, KEY],
    summary: "Get a token that others sign to approve an operation",
    description: "\
Gets a token for one operation of the service from every server, or in server mode from that one, and writes the
tokens to one file, which the approvers sign. A CO gets tokens of services 3 (USER_MGMT) and 4 (MISC_CO), a CU of
services 5 (USE_KEY) and 6 (MANAGE_KEY), with the handle of a key that needs approvals. The user name is your own.
A token is valid for one operation in this session, until logoutHSM, and for ten minutes. The file may already hold
tokens or the registration token; they are overwritten.",
    example: "getToken 3 officer1 officer1.token",
    permission: Some(Permission::of::<quorum::GetToken>()),
    build: |given| {
        let service = service(given)?;
        let (name, file) = (given.text(&USER_NAME)?, given.text(&FILE)?);
        let key = match (service.is_of_key(), given.has(&KEY)) {
            (true, _) => given.handle(&KEY)?,
            (false, true) => return Err(Usage::TooMany),
            (false, false) => KeyHandle(0),
        };
        Ok(Box::new(GetToken { operation: quorum::GetToken { service, name, key }, file }))
    },
};

const FILE: Argument = Argument::word("token-file", Kind::File);
/// Of the services that are about a key.
const KEY: Argument = KEY_HANDLE.optional();

struct GetToken {
    operation: quorum::GetToken,
    file: String,
}

impl Action for GetToken {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let Self { operation, file } = *self;
        let cannot_write = |reason: NotWritten| Stop::failed(format!("cannot write {file}: {reason}"));
        // Before the servers issue tokens for which there is no file.
        token_file::must_be_free(&file).map_err(cannot_write)?;
        let request = operation.clone();
        let success = success(session, COMMAND.name);
        let (mut tokens, mut result) = (Vec::new(), Ok(()));
        for (number, answer) in ask_all(session, operation)? {
            match (issued_as_requested(session, &request, number, answer), session.server(number)) {
                (Ok(token), Some(server)) => {
                    let text = format!("{}{}", success(server), show(&token.about));
                    session.console.print(&text);
                    tokens.push(token);
                }
                (Ok(_), None) => {}
                (Err(reason), _) => {
                    print_failure(session, COMMAND.name, number, &reason);
                    result = Err(Stop::Servers);
                }
            }
        }
        if !tokens.is_empty() {
            token_file::write(&file, &tokens).map_err(cannot_write)?;
        }
        result
    }
}

/// Treats a token for anything else as a failure. It must not get into the file: the approvers would sign what nobody
/// asked for.
fn issued_as_requested(
    session: &mut Session<'_>,
    request: &quorum::GetToken,
    number: usize,
    answer: Answer<Token>,
) -> Result<Token, String> {
    let token = answer.map_err(|failure| failure.to_string())?;
    let hsm_id = session.server(number).and_then(Server::hsm_id).unwrap_or_default();
    if token.is_for(request, hsm_id) {
        return Ok(token);
    }
    let reason = "the server issued a token for something else; it is not written".to_owned();
    session.tally.failed(number, &Failure::NoAnswer(reason.clone()));
    Err(reason)
}

/// What a token is for, as the original shows it.
pub(super) fn show(about: &TokenAbout) -> String {
    let TokenAbout { id, service, node, key, user } = about;
    let (service, user) = (service.number(), shown(user));
    format!("Token:\nId:{id}\nService:{service}\nNode:{node}\nKey Handle:{key}\nUser:{user}\n")
}
