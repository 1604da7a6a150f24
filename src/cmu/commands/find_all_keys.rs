//! `findAllKeys`

use crate::cluster::Server;
use crate::cmu::arguments::{OUTPUT_FILE, USER_ID};
use crate::cmu::read::success;
use crate::cmu::report::Report;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::{Argument, Kind, Permission};
use crate::common::OutputFile;
use crate::protocol::key::{Hold, KeyHandle, KeyList, ListKeys};
use crate::protocol::user::UserId;

pub(super) static COMMAND: Command = Command {
    name: "findAllKeys",
    arguments: &[USER_ID, HASH, OUTPUT_FILE],
    summary: "List the keys of a user, or of all users",
    description: "\
Lists the handles of the keys that a user owns (o) or that are shared with the user (s), as each server has them;
user id 0 means all users. Public keys are listed for their owner only, session keys not at all. With a key hash of
1, the command also shows a hash of the keys of all users, their owners and sharers, if the user has keys. Servers
that show the same hash have the same keys, owners and sharers; attributes are not part of it. With an output file,
the lists are written there; its previous content is lost.",
    example: "findAllKeys 3 1",
    permission: Some(Permission::of::<ListKeys>()),
    build: |given| {
        let user = Some(given.number(&USER_ID)?).filter(|number| *number != 0).map(UserId);
        let operation = ListKeys { user, hash: given.is_one(&HASH)? };
        Ok(Box::new(FindAllKeys { operation, file: given.maybe(&OUTPUT_FILE, OutputFile::parse)? }))
    },
};

const HASH: Argument = Argument { what: "key-hash", ..Argument::word("key-hash (0/1)", Kind::Number) };

struct FindAllKeys {
    operation: ListKeys,
    file: Option<OutputFile>,
}

impl Action for FindAllKeys {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let Self { operation, file } = *self;
        let success = success(session, COMMAND.name);
        // With hashes, the original prints its blank line after each hash instead.
        let between = if operation.hash { "" } else { "\n" };
        Report { name: COMMAND.name, between, file }.read(session, operation, |server, keys| {
            Ok(format!("{}{}", show(server, &keys), success(server)))
        })
    }
}

fn show(server: &Server, KeyList { keys, hash }: &KeyList) -> String {
    let count = keys.len();
    let handles: Vec<_> = keys.iter().map(handle).collect();
    let mut text = format!(
        "Keys on {server}:\nNumber of keys found {count}\nnumber of keys matched from start index 0::{count}\n{}\n",
        handles.join(",")
    );
    if let Some(hash) = hash {
        let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        text.push_str(&format!("Key Hash:\n{digits}\n\n"));
    }
    text
}

fn handle((handle, hold): &(KeyHandle, Option<Hold>)) -> String {
    let mark = match hold {
        None => "",
        Some(Hold::Owned) => "(o)",
        Some(Hold::Shared) => "(s)",
    };
    format!("{handle}{mark}")
}
