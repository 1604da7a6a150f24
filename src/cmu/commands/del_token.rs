//! `delToken`

use crate::cmu::command::action;
use crate::cmu::read::{read, success};
use crate::cmu::{Action, Command, Group, Session, Stop};
use crate::protocol::Operation;
use crate::protocol::quorum::DeleteTokens;
use crate::signing::token_file;

pub(super) static COMMAND: Command = Command {
    name: "delToken",
    arguments: "<token-file |-all>",
    group: Group::Quorum,
    summary: "Delete a token of one's own, or all of them",
    description: "\
Deletes the token of a file that getToken wrote from every server, or in server mode from the one; with -all, all
tokens of the user who is logged in, also those of other sessions. The file itself stays.",
    example: "delToken officer1.token",
    access: Some(DeleteTokens::ACCESS),
    service: DeleteTokens::SERVICE,
    secret: None,
    parse: |mut words| {
        let word = words.next("token-file")?;
        let which = if word == ALL { Which::All } else { Which::OfFile(word.to_owned()) };
        words.finish()?;
        action(DelToken { which })
    },
};

const ALL: &str = "-all";

struct DelToken {
    which: Which,
}

enum Which {
    OfFile(String),
    All,
}

impl Action for DelToken {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let operation = match self.which {
            Which::All => DeleteTokens::All,
            Which::OfFile(path) => match token_file::load(&path) {
                Ok(tokens) => DeleteTokens::OfFile(tokens),
                Err(reason) => return Err(Stop::failed(format!("{path}: {reason}"))),
            },
        };
        let success = success(session, COMMAND.name);
        read(session, COMMAND.name, operation, |server, ()| success(server))
    }
}
