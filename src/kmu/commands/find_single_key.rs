//! `findSingleKey`

use crate::command::{Argument, Kind, Permission};
use crate::kmu::session::states;
use crate::kmu::stop::{Printed, ended_on};
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::key::{DescribeKey, KeyHandle};

pub(super) static COMMAND: Command = Command {
    name: "findSingleKey",
    arguments: &[KEY],
    summary: "Find single Key",
    description: "Checks that a key is on every HSM of the cluster.",
    example: "findSingleKey -k 6",
    permission: Some(Permission::of::<DescribeKey>()),
    build: |given| Ok(Box::new(FindSingleKey { handle: given.handle(&KEY)? })),
};

const KEY: Argument =
    Argument::flag("-k", "key-handle", Kind::Handle, "Key handle").help("handle of the key");

struct FindSingleKey {
    handle: KeyHandle,
}

impl Action for FindSingleKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let states = states(&session.perform(&session.everywhere(), DescribeKey { handle: self.handle }));
        ended_on("FindKey", Code::of_all(&states), &states)
    }
}
