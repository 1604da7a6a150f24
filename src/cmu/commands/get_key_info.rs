//! `getKeyInfo`

use crate::cluster::Server;
use crate::cmu::arguments::{KEY_HANDLE, OUTPUT_FILE};
use crate::cmu::report::Report;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::{Argument, Permission};
use crate::common::OutputFile;
use crate::protocol::key::{DescribeKey, KeyDescription, KeyHandle, Lifetime};

pub(super) static COMMAND: Command = Command {
    name: "getKeyInfo",
    arguments: &[FLAG, KEY_HANDLE, OUTPUT_FILE],
    summary: "Show who owns a key and whom it is shared with",
    description: "\
Shows, as each server has it, whether a key is kept or ends with its session, the id of the user who owns it, the
ids of the users with whom it is shared, and how many users must approve its use, if more than one. The key must be
yours, shared with you, or public. With an output file, the answers are written there; its previous content is
lost.",
    example: "getKeyInfo -k 262177",
    permission: Some(Permission::of::<DescribeKey>()),
    build: |given| {
        let handle = given.handle(&KEY_HANDLE)?;
        Ok(Box::new(GetKeyInfo { handle, file: given.maybe(&OUTPUT_FILE, OutputFile::parse)? }))
    },
};

/// The handle is the same with it and without.
const FLAG: Argument = Argument::switch("-k");

struct GetKeyInfo {
    handle: KeyHandle,
    file: Option<OutputFile>,
}

impl Action for GetKeyInfo {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let Self { handle, file } = *self;
        // The original reports success only in server mode.
        let end = session.pinned.map(|_| format!("{} success\n", COMMAND.name)).unwrap_or_default();
        let report = Report { name: COMMAND.name, between: "", file };
        report.read(session, DescribeKey { handle }, |server, key| Ok(format!("{}{end}", show(server, &key))))
    }
}

fn show(server: &Server, key: &KeyDescription) -> String {
    let lifetime = match key.lifetime {
        Lifetime::Token => "Token/Flash",
        Lifetime::Session => "Session",
    };
    let mut text = format!("Key Info on {server}:\n\n\t{lifetime} Key,\n\n\tOwned by user {}\n", key.owner);
    let sharers = key.shared_with.len();
    if sharers > 0 {
        text.push_str(&format!("\n\talso, shared to following {sharers} user(s):\n"));
    }
    key.shared_with.iter().for_each(|user| text.push_str(&format!("\n\t\t {user}")));
    text.push_str(&approval(key));
    text.push('\n');
    text
}

/// The line about approvals. If sharing has ended since the key was made, too few users may be left to approve.
fn approval(key: &KeyDescription) -> String {
    let needed = usize::from(key.m_value);
    let users = key.shared_with.len().saturating_add(1);
    match needed {
        0 | 1 => String::new(),
        _ if needed > users => "\n\t This key is unusable as M > N. Better delete this.".to_owned(),
        _ => format!("\n\t {needed} Users need to approve to use/manage this key"),
    }
}
