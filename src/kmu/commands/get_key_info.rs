//! `getKeyInfo`

use crate::command::{Argument, Kind, Permission};
use crate::kmu::frame::{line, returned};
use crate::kmu::session::first;
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::key::{DescribeKey, KeyDescription, KeyHandle};

pub(super) static COMMAND: Command = Command {
    name: "getKeyInfo",
    arguments: &[KEY],
    summary: "Get Key Info about shared users/sessions",
    description: "Shows who owns a key and with whom it is shared.",
    example: "getKeyInfo -k 6",
    permission: Some(Permission::of::<DescribeKey>()),
    build: |given| Ok(Box::new(GetKeyInfo { handle: given.handle(&KEY)? })),
};

const KEY: Argument =
    Argument::flag("-k", "key-handle", Kind::Handle, "Key handle").help("handle of the key");

struct GetKeyInfo {
    handle: KeyHandle,
}

impl Action for GetKeyInfo {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let answers = session.perform(&session.everywhere(), DescribeKey { handle: self.handle });
        let key = first(answers).map_err(|code| Stop::Failed(returned("GetKey", code)))?;
        Ok(returned("GetKey", Code::SUCCESS) + &show(&key))
    }
}

fn show(key: &KeyDescription) -> String {
    let mut text = line(&format!("Owned by user {}", key.owner));
    if !key.shared_with.is_empty() {
        let count = key.shared_with.len();
        text.push_str(&line(&format!("also, shared to following {count} user(s):\n")));
        for user in &key.shared_with {
            text.push_str(&format!("\t\t {user}\n"));
        }
    }
    if key.m_value > 1 {
        text.push_str(&format!("\t {} Users need to approve to use/manage this key\n", key.m_value));
    }
    text
}
