//! `findSingleKey`

use crate::kmu::command::{Opt, Section, action};
use crate::kmu::session::states;
use crate::kmu::stop::{Printed, ended_on};
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::Operation;
use crate::protocol::key::{DescribeKey, KeyHandle};

pub(super) static COMMAND: Command = Command {
    name: "findSingleKey",
    section: Section::KeyManagement,
    summary: "Find single Key",
    description: "Checks that a key is on every HSM of the cluster.",
    options: &[Opt::required("-k", "<key-handle>", "Key handle", "handle of the key")],
    shared: &[],
    example: "findSingleKey -k 6",
    access: Some(DescribeKey::ACCESS),
    parse: |flags| action(FindSingleKey { handle: KeyHandle(flags.number("-k")?) }),
};

struct FindSingleKey {
    handle: KeyHandle,
}

impl Action for FindSingleKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let states = states(&session.perform(&session.everywhere(), DescribeKey { handle: self.handle }));
        ended_on("FindKey", Code::of_all(&states), &states)
    }
}
