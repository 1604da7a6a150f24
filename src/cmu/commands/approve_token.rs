//! `approveToken`

use crate::cluster::{Answer, Failure, Question};
use crate::cmu::read::success;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::{Argument, Kind, Permission};
use crate::protocol::quorum;
use crate::signing::approval::{Approvals, Approver};

pub(super) static COMMAND: Command = Command {
    name: "approveToken",
    arguments: &[FILE],
    summary: "Submit the approvals of a token",
    description: "\
Submits the signatures that an approval file names to every server, or in server mode to that one, for the token
that was issued in this session. The file names the token file, the number of approvals and, for each approval, the
approver's type (2 for CO, 1 for CU), name and signature (openssl dgst -sha256 -sign of the token file, or
cloudhsm_mgmt_util sign, which also writes the approval file). The user who got the token may approve it, too.
Nothing is submitted unless every server accepts every approval.",
    example: "approveToken approval.txt",
    permission: Some(Permission::of::<quorum::ApproveToken>()),
    build: |given| Ok(Box::new(ApproveToken { file: given.text(&FILE)? })),
};

const FILE: Argument = Argument::word("approval-file", Kind::File);

struct ApproveToken {
    file: String,
}

/// One approval, ready to be submitted.
struct Ready {
    question: Question<quorum::ApproveToken>,
    /// How its failure lines name it.
    name: String,
}

impl Action for ApproveToken {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let unreadable = |error| Stop::failed(format!("{}: {error}", self.file));
        let approvals = Approvals::load(&self.file).map_err(unreadable)?;
        let ready = questions(&approvals)?;
        let scope = session.scope();
        session.reconnect(&scope);
        let willing = rehearse(session, &ready, &scope)?;
        submit(session, &ready, &scope, willing)
    }
}

fn questions(approvals: &Approvals) -> Result<Vec<Ready>, Stop> {
    let question = |(approver, signature): &(Approver, Vec<u8>)| {
        let operation = quorum::ApproveToken {
            tokens: approvals.tokens.clone(),
            user_type: approver.user_type,
            name: approver.name.clone(),
            signature: signature.clone(),
        };
        let name = format!("approval of {} by {} ({})", approvals.token_file, approver.name, approver.file);
        Ok(Ready { question: Question::new(operation)?, name })
    };
    approvals.signed.iter().map(question).collect()
}

/// The servers that would accept every approval. If one of them refuses an approval, nothing is submitted anywhere:
/// the token would be good for a change on some servers only. A server that does not answer does not stop the others.
fn rehearse(session: &mut Session<'_>, ready: &[Ready], scope: &[usize]) -> Result<Vec<usize>, Stop> {
    let (mut willing, mut is_refused) = (scope.to_vec(), false);
    for Ready { question, name } in ready {
        let answers = session.rehearse(&willing, question);
        let failures = retain_successes(&mut willing, answers);
        is_refused |= failures.iter().any(|(_, failure)| matches!(failure, Failure::Refused(_)));
        print_failures(session, name, &failures);
    }
    if is_refused || willing.is_empty() { Err(Stop::Servers) } else { Ok(willing) }
}

fn submit(
    session: &mut Session<'_>,
    ready: &[Ready],
    scope: &[usize],
    mut willing: Vec<usize>,
) -> Result<(), Stop> {
    for Ready { question, name } in ready {
        let answers = session.perform(&willing, question);
        let failures = retain_successes(&mut willing, answers);
        print_failures(session, name, &failures);
    }
    let success = success(session, COMMAND.name);
    for number in &willing {
        let text = session.server(*number).map(&success).unwrap_or_default();
        session.console.print(&text);
    }
    if willing == scope { Ok(()) } else { Err(Stop::Servers) }
}

/// Removes the servers that failed from the list, and returns their failures.
fn retain_successes(willing: &mut Vec<usize>, answers: Vec<Answer<()>>) -> Vec<(usize, Failure)> {
    let failures = willing.iter().zip(answers).filter_map(|(number, answer)| Some((*number, answer.err()?)));
    let failures: Vec<_> = failures.collect();
    willing.retain(|server| failures.iter().all(|(number, _)| number != server));
    failures
}

/// Names the approval even in server mode: there may be several.
fn print_failures(session: &mut Session<'_>, name: &str, failures: &[(usize, Failure)]) {
    for (number, failure) in failures {
        let place = session.place(*number).map(|server| format!(" on {server}")).unwrap_or_default();
        session.console.print(&format!("approveToken failed: {failure}\n{name} failed{place}\n"));
    }
}
