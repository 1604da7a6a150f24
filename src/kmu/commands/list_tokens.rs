//! `listTokens`

use super::get_token::show;
use crate::command::Permission;
use crate::foreign::shown;
use crate::kmu::frame::{line, returned, status};
use crate::kmu::session::states;
use crate::kmu::stop::{Printed, ended};
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::quorum::{self, TokenRow};

pub(super) static COMMAND: Command = Command {
    name: "listTokens",
    arguments: &[],
    summary: "List all Tokens in the current partition",
    description: "Lists the tokens of each HSM, how long they are valid, and who has approved them.",
    example: "listTokens",
    permission: Some(Permission::of::<quorum::ListTokens>()),
    build: |_| Ok(Box::new(ListTokens)),
};

struct ListTokens;

impl Action for ListTokens {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let answers = session.perform(&session.everywhere(), quorum::ListTokens);
        let states = states(&answers);
        let tokens: Vec<_> = answers.into_iter().filter_map(|(_, answer)| answer.ok()).flatten().collect();
        let code = Code::of_all(&states);
        let mut text = returned("ListTokens", code);
        tokens.iter().for_each(|token| text.push_str(&row(token)));
        if tokens.is_empty() {
            text.push_str(&line("no tokens found"));
        }
        ended(code, text + &status(&states))
    }
}

fn row(token: &TokenRow) -> String {
    let TokenRow { about, validity, required, approvers } = token;
    let mut text = show(about);
    text.push_str(&format!(
        "\tToken Validity: {validity} sec\n\tRequired num of approvers : {required}\n\
         \tCurrent num of approvals : {}\n",
        approvers.len()
    ));
    for (at, name) in approvers.iter().enumerate() {
        text.push_str(&format!("\tApprover-{at}: {}\n", shown(name)));
    }
    text
}
