//! `approveToken`

use crate::command::{Argument, Kind, Permission};
use crate::kmu::frame::{line, returned, status};
use crate::kmu::session::states;
use crate::kmu::stop::{Printed, Stop, ended_on};
use crate::kmu::{Action, Code, Command, Session, State};
use crate::protocol::quorum;
use crate::signing::approval::{Approvals, Approver};

pub(super) static COMMAND: Command = Command {
    name: "approveToken",
    arguments: &[FILE],
    summary: "Approves an MxN service",
    description: "\
Submits the signatures that an approval file names, for the token that was issued in this session. Nothing is
submitted unless every HSM accepts all of them.",
    example: "approveToken -f approval.txt",
    permission: Some(Permission::of::<quorum::ApproveToken>()),
    build: |given| Ok(Box::new(ApproveToken { file: given.text(&FILE)? })),
};

const FILE: Argument = Argument::flag("-f", "approval file", Kind::File, "Approval file")
    .help("file that names token and approvers");

struct ApproveToken {
    file: String,
}

const CALL: &str = "ApproveToken";

impl Action for ApproveToken {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let unreadable = |error| Stop::failed(line(&format!("{}: {error}", self.file)));
        let approvals = Approvals::load(&self.file).map_err(unreadable)?;
        let scope = session.everywhere();
        // First all rehearsals: nothing is submitted unless every node accepts every approval.
        for (approver, signature) in &approvals.signed {
            let rehearsed = session.rehearse(&scope, operation(&approvals, approver, signature));
            rehearsed.map_err(|refused| not_taken(approver, &refused.against()))?;
        }
        let mut last = Vec::new();
        for (approver, signature) in &approvals.signed {
            last = states(&session.perform(&scope, operation(&approvals, approver, signature)));
            if Code::of_all(&last) != Code::SUCCESS {
                return Err(not_taken(approver, &last));
            }
        }
        ended_on(CALL, Code::of_all(&last), &last)
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

fn not_taken(approver: &Approver, states: &[State]) -> Stop {
    let about = line(&format!("Approval of {} ({})", approver.name, approver.file));
    Stop::Failed(about + &returned(CALL, Code::of_all(states)) + &status(states))
}
