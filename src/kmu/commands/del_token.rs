//! `delToken`

use crate::command::{Argument, Given, Kind, Permission, Usage};
use crate::kmu::frame::line;
use crate::kmu::session::states;
use crate::kmu::stop::{Printed, Stop, ended_on};
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::quorum::DeleteTokens;
use crate::signing::token_file;

pub(super) static COMMAND: Command = Command {
    name: "delToken",
    arguments: &[FILE],
    summary: "delete Token(s)",
    description: "Deletes one of your tokens, or all of them.",
    example: "delToken -tf alice.token",
    permission: Some(Permission::of::<DeleteTokens>()),
    build: |given| {
        let flags = given.maybe(&FLAGS, Given::number)?;
        match (given.maybe(&FILE, Given::text)?, flags) {
            (Some(file), None) => Ok(Box::new(DelToken { file: Some(file) })),
            (None, Some(ALL)) => Ok(Box::new(DelToken { file: None })),
            (Some(_) | None, Some(_)) | (None, None) => Err(Usage::Wrong("Improper token passed")),
        }
    },
};

const FILE: Argument = Argument::flag("-tf", "token file", Kind::File, "Token file")
    .help("file that getToken wrote")
    .or(&[FLAGS]);
const FLAGS: Argument =
    Argument::flag("-f", "delete flags", Kind::Number, "Delete flags").help("4 for all tokens of user");
/// All tokens of the user.
const ALL: u32 = 4;

struct DelToken {
    /// `None` means all tokens.
    file: Option<String>,
}

impl Action for DelToken {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let operation =
            match &self.file {
                None => DeleteTokens::All,
                Some(file) => DeleteTokens::OfFile(token_file::load(file).map_err(|reason| {
                    Stop::failed(line(&format!("Improper token passed: {file}: {reason}")))
                })?),
            };
        let states = states(&session.perform(&session.everywhere(), operation));
        ended_on("DelToken", Code::of_all(&states), &states)
    }
}
