//! `deleteKey`

use super::command::{Opt, Section, action};
use super::frame::{returned, status};
use super::session::{Answers, outcome, states};
use super::{Action, Code, Command, Session, State};
use crate::outcome::Outcome;
use crate::protocol::Operation;
use crate::protocol::key::{self, DescribeKey, KeyDescription, KeyHandle, Lifetime};

pub(super) static COMMAND: Command = Command {
    name: "deleteKey",
    section: Section::KeyManagement,
    summary: "Delete Key",
    description: "Deletes a key of one's own from every HSM of the cluster. The other half of a pair stays.",
    options: &[Opt::required("-k", "<key handle>", "Key handle", "handle of the key")],
    shared: &[],
    example: "deleteKey -k 6",
    access: Some(key::DeleteKey::ACCESS),
    parse: |flags| action(DeleteKey { handle: KeyHandle(flags.number("-k")?) }),
};

struct DeleteKey {
    handle: KeyHandle,
}

impl Action for DeleteKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Outcome {
        let operation = key::DeleteKey { handle: self.handle };
        let found = session.perform(&session.everywhere(), DescribeKey { handle: self.handle });
        let is_known = |code: &Code| code.is_of_key_holder();
        let known = states(&found);
        if !known.iter().any(|(_, code)| is_known(code)) {
            return end(session, "FindKey", &known, Code::of_none(&known));
        }
        let scope = scope(&found);
        let would = states(&session.rehearse(&scope, operation.clone()));
        if would.iter().any(|(_, code)| *code != Code::SUCCESS && !code.is_of_cluster()) {
            return end(session, "DeleteKey", &would, Code::of_none(&would));
        }
        let done = states(&session.perform(&scope, operation));
        end(session, "DeleteKey", &done, Code::of_all(&done))
    }
}

fn end(session: &mut Session<'_>, call: &str, states: &[State], code: Code) -> Outcome {
    session.print(&(returned(call, code) + &status(states)));
    outcome(code)
}

/// Where the key is, or may be: a node that does not answer may have a token key, not another one's session key.
fn scope(found: &Answers<KeyDescription>) -> Vec<usize> {
    let is_session_key =
        found.iter().any(|(_, answer)| answer.as_ref().is_ok_and(|key| key.lifetime == Lifetime::Session));
    let may_have_it = |code: Code| code.is_of_key_holder() || (!is_session_key && code.is_of_cluster());
    states(found).into_iter().filter(|(_, code)| may_have_it(*code)).map(|(node, _)| node).collect()
}
