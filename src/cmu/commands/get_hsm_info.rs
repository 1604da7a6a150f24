//! `getHSMInfo`

use crate::cmu::read::read;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::Permission;
use crate::common::hsm_info;
use crate::protocol::device::DescribeHsm;

pub(super) static COMMAND: Command = Command {
    name: "getHSMInfo",
    arguments: &[],
    summary: "Show each HSM's serial number, memory and firmware",
    description: "\
Shows what each server reports about itself. Label, model and device numbers are those of the original hardware;
serial number, memory and firmware are the HSM's own.",
    example: "getHSMInfo",
    permission: Some(Permission::of::<DescribeHsm>()),
    build: |_| Ok(Box::new(GetHsmInfo)),
};

struct GetHsmInfo;

impl Action for GetHsmInfo {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        if session.pinned.is_none() {
            let nodes = session.scope().len();
            session.console.print(&format!("Getting HSM Info on {nodes} nodes\n"));
        }
        read(session, COMMAND.name, DescribeHsm, |server, hsm| {
            hsm_info(&format!("Server {}", server.number()), &hsm)
        })
    }
}
