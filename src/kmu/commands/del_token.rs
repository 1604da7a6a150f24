//! `delToken`

use crate::kmu::command::{Need, Opt, Section, action};
use crate::kmu::frame::line;
use crate::kmu::session::states;
use crate::kmu::stop::{Printed, Stop, ended_on};
use crate::kmu::{Action, Code, Command, Session, Usage};
use crate::protocol::Operation;
use crate::protocol::quorum::DeleteTokens;
use crate::signing::token_file;

pub(super) static COMMAND: Command = Command {
    name: "delToken",
    section: Section::Quorum,
    summary: "delete Token(s)",
    description: "Deletes a token of one's own, or all of them.",
    options: &[
        Opt {
            need: Need::Unless("-f"),
            ..Opt::optional("-tf", "<token file>", "Token file", "file that getToken wrote")
        },
        Opt::optional("-f", "<delete flags>", "Delete flags", "4 for all tokens of user"),
    ],
    shared: &[],
    example: "delToken -tf alice.token",
    access: Some(DeleteTokens::ACCESS),
    parse: |flags| match (flags.maybe("-tf"), flags.maybe_number("-f")?) {
        (Some(file), None) => action(DelToken { file: Some(file.to_owned()) }),
        (None, Some(4)) => action(DelToken { file: None }),
        (Some(_) | None, Some(_)) | (None, None) => Err(Usage::Wrong("Improper token passed")),
    },
};

struct DelToken {
    /// `None` is all tokens.
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
