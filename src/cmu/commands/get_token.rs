//! `getToken`

use crate::cluster::{Answer, Failure, Server};
use crate::cmu::command::action;
use crate::cmu::failure::{print_failure, usual_context};
use crate::cmu::read::{ask_all, shown, success};
use crate::cmu::service::service;
use crate::cmu::{Action, Command, Group, Outcome, Session};
use crate::protocol::Operation;
use crate::protocol::key::KeyHandle;
use crate::protocol::quorum::{self, Service, Token, TokenAbout};
use crate::signing::token_file;

pub(super) static COMMAND: Command = Command {
    name: "getToken",
    arguments: "<service> <user-name> <token-file> [<key-handle>]",
    group: Group::Quorum,
    summary: "Get a token, by which others approve one operation",
    description: "\
Gets a token from every server, or in server mode from the one, for one operation of the service, and writes them to
one file, which the approvers sign. A CO gets tokens of service 3 (USER_MGMT) and 4 (MISC_CO), a CU of service 5
(USE_KEY) and 6 (MANAGE_KEY) with the handle of a key that needs approvals. The user name is one's own. A token is good
for one operation, in this session only, until logoutHSM, and for ten minutes. The file may hold tokens already, or the
registration token, which is lost then.",
    example: "getToken 3 officer1 officer1.token",
    access: Some(quorum::GetToken::ACCESS),
    service: quorum::GetToken::SERVICE,
    secret: None,
    parse: |mut words| {
        let service = service(&mut words)?;
        let name = words.next("user-name")?.to_owned();
        let file = words.next("token-file")?.to_owned();
        let is_of_key = matches!(service, Service::UseKey | Service::ManageKey);
        // Only such a service is about one.
        let key = if is_of_key { words.number("key-handle")? } else { 0 };
        let key = KeyHandle(key);
        words.finish()?;
        action(GetToken { operation: quorum::GetToken { service, name, key }, file })
    },
};

struct GetToken {
    operation: quorum::GetToken,
    file: String,
}

impl Action for GetToken {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Outcome {
        let Self { operation, file } = *self;
        if let Err(reason) = token_file::must_be_free(&file) {
            session.console.print(&format!("getToken failed: cannot write {file}: {reason}\n"));
            return Outcome::Failed;
        }
        let asked = operation.clone();
        let Some(answers) = ask_all(session, COMMAND.name, operation) else { return Outcome::Failed };
        let success = success(session, COMMAND.name);
        let (mut tokens, mut outcome) = (Vec::new(), Outcome::Done);
        for (number, answer) in answers {
            if turn_away_foreign(session, &asked, number, &answer) {
                outcome = Outcome::Failed;
                continue;
            }
            match (answer, session.server(number)) {
                (Ok(Some(token)), Some(server)) => {
                    let text = format!("{}{}", success(server), show(&token.about));
                    session.console.print(&text);
                    tokens.push(token);
                }
                // Who was asked to perform answers with a reply.
                (Ok(_), _) => {}
                (Err(failure), _) => {
                    print_failure(session, COMMAND.name, usual_context, number, &failure);
                    outcome = Outcome::Failed;
                }
            }
        }
        if tokens.is_empty() {
            return outcome;
        }
        match token_file::write(&file, &tokens) {
            Ok(()) => outcome,
            Err(reason) => {
                session.console.print(&format!("getToken failed: cannot write {file}: {reason}\n"));
                Outcome::Failed
            }
        }
    }
}

/// Says of a token for something else, which nobody must sign, that it is not written; whether it was one.
fn turn_away_foreign(
    session: &mut Session<'_>,
    asked: &quorum::GetToken,
    number: usize,
    answer: &Answer<Token>,
) -> bool {
    let hsm_id = session.server(number).and_then(Server::hsm_id).unwrap_or_default();
    if !matches!(answer, Ok(Some(token)) if !token.is_for(asked, hsm_id)) {
        return false;
    }
    let reason = "the server gave a token for something else, which is not written";
    print_failure(session, COMMAND.name, usual_context, number, &reason);
    session.tally.note_failure::<()>(number, &Err(Failure::NoAnswer(reason.to_owned())));
    true
}

/// What a token is for, as the original shows it.
pub(super) fn show(about: &TokenAbout) -> String {
    let TokenAbout { id, service, node, key, user } = about;
    let (service, user) = (service.number(), shown(user));
    format!("Token:\nId:{id}\nService:{service}\nNode:{node}\nKey Handle:{key}\nUser:{user}\n")
}
