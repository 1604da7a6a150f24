//! `getHSMInfo`

use crate::command::Permission;
use crate::common::hsm_info;
use crate::kmu::frame::{returned, status};
use crate::kmu::session::states;
use crate::kmu::stop::{Printed, ended};
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::device::DescribeHsm;

pub(super) static COMMAND: Command = Command {
    name: "getHSMInfo",
    arguments: &[],
    summary: "Gets the HSM Information",
    description: "Shows serial number, memory and firmware of each HSM.",
    example: "getHSMInfo",
    permission: Some(Permission::of::<DescribeHsm>()),
    build: |_| Ok(Box::new(GetHsmInfo)),
};

struct GetHsmInfo;

impl Action for GetHsmInfo {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let answers = session.perform(&session.everywhere(), DescribeHsm);
        let mut text = String::new();
        for (node, hsm) in &answers {
            if let Ok(hsm) = hsm {
                text.push_str(&format!("\n{}", hsm_info(&format!("Node {node}"), hsm)));
            }
        }
        let states = states(&answers);
        let code = Code::of_all(&states);
        ended(code, text + &returned("GetHSMInfo", code) + &status(&states))
    }
}
