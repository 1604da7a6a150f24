//! `deleteKey`

use crate::cluster::Failure;
use crate::command::{Argument, Kind, Permission};
use crate::kmu::frame::returned;
use crate::kmu::session::{Answers, states};
use crate::kmu::stop::{Printed, Stop, ended_on};
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::Refusal;
use crate::protocol::key::{self, DescribeKey, KeyDescription, KeyHandle, Lifetime};

pub(super) static COMMAND: Command = Command {
    name: "deleteKey",
    arguments: &[KEY],
    summary: "Delete Key",
    description: "Deletes one of your keys from every HSM of the cluster. The other key of a pair is kept.",
    example: "deleteKey -k 6",
    permission: Some(Permission::of::<key::DeleteKey>()),
    build: |given| Ok(Box::new(DeleteKey { handle: given.handle(&KEY)? })),
};

const KEY: Argument =
    Argument::flag("-k", "key handle", Kind::Handle, "Key handle").help("handle of the key");

struct DeleteKey {
    handle: KeyHandle,
}

impl Action for DeleteKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        // First find out where the key is: a node without it would refuse, and a refusal stops the deletion
        // everywhere.
        let operation = key::DeleteKey { handle: self.handle };
        let found = session.perform(&session.everywhere(), DescribeKey { handle: self.handle });
        let known = states(&found);
        if !known.iter().any(|(_, code)| is_of_key_holder(*code)) {
            return ended_on("FindKey", Code::of_none(&known), &known);
        }
        let scope = scope(&found);
        match session.change(&scope, operation) {
            Ok(answers) => {
                let done = states(&answers);
                ended_on("DeleteKey", Code::of_all(&done), &done)
            }
            Err(refused) => {
                let (against, denied) = (refused.against(), Refusal::KeyAccessDenied.into());
                // The original has no status block below this answer.
                if against.iter().all(|(_, code)| *code == denied) {
                    return Err(Stop::failed(returned("DeleteKey", denied)));
                }
                ended_on("DeleteKey", Code::of_none(&against), &against)
            }
        }
    }
}

/// Whether this is the answer of a node that has the key.
fn is_of_key_holder(code: Code) -> bool {
    code == Code::SUCCESS || code == Refusal::KeyAccessDenied.into()
}

/// The nodes to delete the key from. A token key may be on every node that does not deny having it, even if it did
/// not answer. A session key is only where it was found.
fn scope(found: &Answers<KeyDescription>) -> Vec<usize> {
    let has_session_key = |answer: &Result<KeyDescription, Failure>| {
        answer.as_ref().is_ok_and(|key| key.lifetime == Lifetime::Session)
    };
    let is_session_key = found.iter().any(|(_, answer)| has_session_key(answer));
    let may_have_it = |answer: &Result<KeyDescription, Failure>| match is_session_key {
        true => has_session_key(answer),
        false => Code::of(answer) != Refusal::InvalidHandle.into(),
    };
    found.iter().filter(|(_, answer)| may_have_it(answer)).map(|(node, _)| *node).collect()
}
