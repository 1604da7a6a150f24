//! `listTokens`

use super::get_token::show;
use crate::cluster::Server;
use crate::cmu::failure::print_failure;
use crate::cmu::read::ask_all;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::Permission;
use crate::foreign::shown;
use crate::protocol::quorum::{self, TokenRow};

pub(super) static COMMAND: Command = Command {
    name: "listTokens",
    arguments: &[],
    summary: "List the tokens of each HSM, and who has approved them",
    description: "\
Shows all tokens that each server holds: what each is for, whose it is, how long it is valid, how many approvals it
needs and who has approved it. A token that was used is gone.",
    example: "listTokens",
    permission: Some(Permission::of::<quorum::ListTokens>()),
    build: |_| Ok(Box::new(ListTokens)),
};

struct ListTokens;

impl Action for ListTokens {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let mut result = Ok(());
        for (number, answer) in ask_all(session, quorum::ListTokens)? {
            match (answer, session.server(number)) {
                (Ok(tokens), Some(server)) => {
                    let text = block(server, &tokens);
                    session.console.print(&text);
                }
                (Ok(_), None) => {}
                (Err(failure), _) => {
                    print_failure(session, COMMAND.name, number, &failure);
                    result = Err(Stop::Servers);
                }
            }
        }
        if result.is_ok() {
            session.console.print("\nlistTokens success\n");
        }
        result
    }
}

fn block(server: &Server, tokens: &[TokenRow]) -> String {
    let line = "=".repeat(21);
    let title = format!("Server {}({})", server.number(), server.name());
    let tokens_shown: String = tokens.iter().enumerate().map(|(at, token)| token_shown(at, token)).collect();
    format!("\n{line}\n    {title}\n{line}\n{tokens_shown}Num of tokens = {}\n", tokens.len())
}

fn token_shown(at: usize, token: &TokenRow) -> String {
    let TokenRow { about, validity, required, approvers } = token;
    let mut text = format!("-------- Token - {at} ----------\n{}", show(about));
    text.push_str(&format!(
        "Token Validity: {validity} sec\nRequired num of approvers : {required}\nCurrent num of approvals : {}\n",
        approvers.len()
    ));
    for (at, name) in approvers.iter().enumerate() {
        text.push_str(&format!("Approver-{at}: {}\n", shown(name)));
    }
    text
}
