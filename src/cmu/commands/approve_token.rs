//! `approveToken`

use crate::cluster::{Failure, Question};
use crate::cmu::command::action;
use crate::cmu::read::{prepare, success};
use crate::cmu::{Action, Command, Group, Outcome, Session};
use crate::protocol::Operation;
use crate::protocol::message::Round;
use crate::protocol::quorum;
use crate::signing::approval::{Approvals, Approver};

pub(super) static COMMAND: Command = Command {
    name: "approveToken",
    arguments: "<approval-file>",
    group: Group::Quorum,
    summary: "Hand in the approvals of a token",
    description: "\
Hands the signatures that an approval file names to every server, or in server mode to the one, for the token that
was got in this session. The file names the token file, the number of approvals, and for each the approver's type (2
for CO, 1 for CU), name and signature (openssl dgst -sha256 -sign of the token file, or cloudhsm_mgmt_util sign, which
also writes the approval file). Whoever got the token may approve it, too. Nothing is handed in anywhere unless every
server takes every approval.",
    example: "approveToken approval.txt",
    access: Some(quorum::ApproveToken::ACCESS),
    service: quorum::ApproveToken::SERVICE,
    secret: None,
    parse: |mut words| {
        let file = words.next("approval-file")?.to_owned();
        words.finish()?;
        action(ApproveToken { file })
    },
};

struct ApproveToken {
    file: String,
}

/// One approval, ready to be handed in.
struct Ready {
    question: Question<quorum::ApproveToken>,
    /// How its failure lines name it.
    name: String,
}

impl Action for ApproveToken {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Outcome {
        let approvals = match Approvals::load(&self.file) {
            Ok(approvals) => approvals,
            Err(error) => {
                session.console.print(&format!("approveToken failed: {}: {error}\n", self.file));
                return Outcome::Failed;
            }
        };
        let Some(ready) = questions(session, &approvals) else { return Outcome::Failed };
        let scope = session.scope();
        session.reconnect(&scope);
        let Some(takers) = rehearse(session, &ready, &scope) else { return Outcome::Failed };
        hand_in(session, &ready, &scope, takers)
    }
}

fn questions(session: &mut Session<'_>, approvals: &Approvals) -> Option<Vec<Ready>> {
    let question = |(approver, signature): &(Approver, Vec<u8>)| {
        let operation = quorum::ApproveToken {
            tokens: approvals.tokens.clone(),
            user_type: approver.user_type,
            name: approver.name.clone(),
            signature: signature.clone(),
        };
        let name = format!("approval of {} by {} ({})", approvals.token_file, approver.name, approver.file);
        Some(Ready { question: prepare(session, COMMAND.name, operation)?, name })
    };
    approvals.signed.iter().map(question).collect()
}

/// The servers that would take every approval; `None` if one that was reached would not.
fn rehearse(session: &mut Session<'_>, ready: &[Ready], scope: &[usize]) -> Option<Vec<usize>> {
    let (mut takers, mut refused) = (scope.to_vec(), false);
    for Ready { question, name } in ready {
        let asked = takers.clone();
        let answers = session.ask(&asked, question, Round::Rehearse);
        for (number, answer) in asked.into_iter().zip(answers) {
            let Err(failure) = answer else { continue };
            print_failure(session, name, number, &failure);
            refused |= matches!(failure, Failure::Refused(_));
            takers.retain(|taker| *taker != number);
        }
    }
    Some(takers).filter(|takers| !refused && !takers.is_empty())
}

fn hand_in(session: &mut Session<'_>, ready: &[Ready], scope: &[usize], mut takers: Vec<usize>) -> Outcome {
    for Ready { question, name } in ready {
        let asked = takers.clone();
        let answers = session.ask(&asked, question, question.perform());
        for (number, answer) in asked.into_iter().zip(answers) {
            let Err(failure) = answer else { continue };
            print_failure(session, name, number, &failure);
            takers.retain(|taker| *taker != number);
        }
    }
    let success = success(session, COMMAND.name);
    for number in &takers {
        let text = session.server(*number).map(&success).unwrap_or_default();
        session.console.print(&text);
    }
    if takers == scope { Outcome::Done } else { Outcome::Failed }
}

/// Also in server mode it is told whose approval it is.
fn print_failure(session: &mut Session<'_>, name: &str, number: usize, failure: &Failure) {
    let place = match (session.pinned, session.server(number)) {
        (None, Some(server)) => format!(" on {server}"),
        (Some(_), _) | (None, None) => String::new(),
    };
    session.console.print(&format!("approveToken failed: {failure}\n{name} failed{place}\n"));
}
