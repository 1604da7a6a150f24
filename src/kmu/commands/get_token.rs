//! `getToken`

use crate::cluster::{Failure, Server};
use crate::command::{Argument, Kind, Permission, Usage};
use crate::files::NotWritten;
use crate::foreign::shown;
use crate::kmu::frame::{line, returned, status};
use crate::kmu::stop::{Printed, Stop, ended};
use crate::kmu::{Action, Code, Command, Session, State};
use crate::protocol::key::KeyHandle;
use crate::protocol::quorum::{self, Service, Token, TokenAbout};
use crate::signing::token_file;

pub(super) static COMMAND: Command = Command {
    name: "getToken",
    arguments: &[SERVICE, KEY, FILE],
    summary: "Initiate an MxN service and get Token",
    description: "\
Gets a token for one use or one change of a key that others have to approve. Each HSM issues one; they are written
to one file, which the approvers sign. A token is valid in this session only, for ten minutes.",
    example: "getToken -s 5 -k 7 -f alice.token",
    permission: Some(Permission::of::<quorum::GetToken>()),
    build: |given| {
        let number = u8::try_from(given.number::<u32>(&SERVICE)?).ok();
        let service = number.and_then(Service::numbered).ok_or(Usage::Wrong("Invalid service."))?;
        Ok(Box::new(GetToken { service, key: given.handle(&KEY)?, file: given.text(&FILE)? }))
    },
};

const SERVICE: Argument = Argument::flag("-s", "service", Kind::Service, "Service")
    .help("5 to use the key, 6 to share or change it");
const KEY: Argument =
    Argument::flag("-k", "key handle", Kind::Handle, "Key handle").help("handle of the key");
const FILE: Argument =
    Argument::flag("-f", "token file", Kind::File, "Token file").help("file to write the tokens to");

struct GetToken {
    service: Service,
    key: KeyHandle,
    file: String,
}

const CALL: &str = "GetToken";

impl Action for GetToken {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let Self { service, key, file } = *self;
        let cannot_write = |reason: NotWritten| {
            Stop::failed(line(&format!("Failed to write to the file \"{file}\": {reason}")))
        };
        // Before the nodes issue tokens for which there is no file.
        token_file::must_be_free(&file).map_err(cannot_write)?;
        let who = session.cluster.servers().iter().find_map(|server| server.login());
        let name = who.map(|who| who.name.clone()).unwrap_or_default();
        let scope = session.everywhere();
        let request = quorum::GetToken { service, name, key };
        let answers = session.perform(&scope, request.clone());
        let states: Vec<State> =
            answers.iter().map(|(node, answer)| (*node, code(session, &request, *node, answer))).collect();
        let code = Code::of_all(&states);
        let given = answers.into_iter().zip(&states).filter(|(_, (_, code))| *code == Code::SUCCESS);
        let tokens: Vec<Token> = given.filter_map(|((_, answer), _)| answer.ok()).collect();
        let shown: String = tokens.iter().map(|token| show(&token.about)).collect();
        let text = returned(CALL, code) + &shown + &status(&states);
        if tokens.is_empty() {
            return Err(Stop::Failed(text));
        }
        session.print(&text);
        token_file::write(&file, &tokens).map_err(cannot_write)?;
        ended(code, String::new())
    }
}

/// The state of a node. A token for anything else than requested is a failure: the approvers would sign what nobody
/// asked for.
fn code(
    session: &Session<'_>,
    request: &quorum::GetToken,
    node: usize,
    answer: &Result<Token, Failure>,
) -> Code {
    let hsm_id = session.cluster.servers().get(node).and_then(Server::hsm_id).unwrap_or_default();
    match answer {
        Ok(token) if !token.is_for(request, hsm_id) => Code::FOREIGN_TOKEN,
        Ok(_) | Err(_) => Code::of(answer),
    }
}

/// What a token is for.
pub(super) fn show(about: &TokenAbout) -> String {
    let TokenAbout { id, service, node, key, user } = about;
    let (service, user) = (service.number(), shown(user));
    format!("\n\tToken:\n\tId:{id}\n\tService:{service}\n\tNode:{node}\n\tKey Handle:{key}\n\tUser:{user}\n")
}
