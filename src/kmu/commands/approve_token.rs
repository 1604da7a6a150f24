//! `approveToken`

use crate::kmu::command::{Opt, Section, action};
use crate::kmu::frame::{line, returned, status};
use crate::kmu::session::{outcome, states};
use crate::kmu::{Action, Code, Command, Session, State};
use crate::outcome::Outcome;
use crate::protocol::Operation;
use crate::protocol::quorum;
use crate::signing::approval::{Approvals, Approver};

pub(super) static COMMAND: Command = Command {
    name: "approveToken",
    section: Section::Quorum,
    summary: "Approves an MxN service",
    description: "\
Hands in the signatures that an approval file names, for the token that was got in this session. Nothing is handed in
unless every HSM takes all of them.",
    options: &[Opt::required("-f", "<approval file>", "Approval file", "file that names token and approvers")],
    shared: &[],
    example: "approveToken -f approval.txt",
    access: Some(quorum::ApproveToken::ACCESS),
    parse: |flags| action(ApproveToken { file: flags.text("-f")?.to_owned() }),
};

struct ApproveToken {
    file: String,
}

const CALL: &str = "ApproveToken";

impl Action for ApproveToken {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Outcome {
        let approvals = match Approvals::load(&self.file) {
            Ok(approvals) => approvals,
            Err(error) => {
                session.print(&line(&format!("{}: {error}", self.file)));
                return Outcome::Failed;
            }
        };
        let scope = session.everywhere();
        for (approver, signature) in &approvals.signed {
            let mut against = states(&session.rehearse(&scope, operation(&approvals, approver, signature)));
            against.retain(|(_, code)| *code != Code::SUCCESS && !code.is_of_cluster());
            if !against.is_empty() {
                return refused(session, approver, &against);
            }
        }
        let mut last = Vec::new();
        for (approver, signature) in &approvals.signed {
            last = states(&session.perform(&scope, operation(&approvals, approver, signature)));
            if Code::of_all(&last) != Code::SUCCESS {
                return refused(session, approver, &last);
            }
        }
        let code = Code::of_all(&last);
        session.print(&(returned(CALL, code) + &status(&last)));
        outcome(code)
    }
}

fn operation(approvals: &Approvals, approver: &Approver, signature: &[u8]) -> quorum::ApproveToken {
    quorum::ApproveToken {
        tokens: approvals.tokens.clone(),
        user_type: approver.user_type,
        name: approver.name.clone(),
        signature: signature.to_vec(),
    }
}

fn refused(session: &mut Session<'_>, approver: &Approver, states: &[State]) -> Outcome {
    let about = line(&format!("Approval of {} ({})", approver.name, approver.file));
    session.print(&(about + &returned(CALL, Code::of_all(states)) + &status(states)));
    Outcome::Failed
}
