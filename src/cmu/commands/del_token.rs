//! `delToken`

use crate::cmu::read::{read, success};
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::{Argument, Kind, Permission};
use crate::protocol::quorum::DeleteTokens;
use crate::signing::token_file;

pub(super) static COMMAND: Command = Command {
    name: "delToken",
    arguments: &[FILE],
    summary: "Delete one of your tokens, or all of them",
    description: "\
Deletes the tokens in a file that getToken wrote from every server, or in server mode from that one. With -all,
deletes all tokens of the user who is logged in, including those of other sessions. The file itself is kept.",
    example: "delToken officer1.token",
    permission: Some(Permission::of::<DeleteTokens>()),
    build: |given| {
        let which =
            if given.has(&ALL) { Which::All } else { Which::OfFile(given.text(&FILE)?) };
        Ok(Box::new(DelToken { which }))
    },
};

const FILE: Argument = Argument::word("token-file", Kind::File).or(&[ALL]);
const ALL: Argument = Argument::switch("-all");

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
