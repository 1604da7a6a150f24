//! `getClusterInfo`

use crate::cluster::Server;
use crate::cmu::read::read;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::Permission;
use crate::foreign::shown;
use crate::protocol::device::{ListMembers, Member};

pub(super) static COMMAND: Command = Command {
    name: "getClusterInfo",
    arguments: &[],
    summary: "Show which HSMs form the cluster, as each HSM sees it",
    description: "\
Shows the node id, host name and port of every HSM of the cluster, as each server knows them. Compare them with the
servers in the configuration file: changes do not reach a member that is not in the file.",
    example: "getClusterInfo",
    permission: Some(Permission::of::<ListMembers>()),
    build: |_| Ok(Box::new(GetClusterInfo)),
};

struct GetClusterInfo;

impl Action for GetClusterInfo {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        read(session, COMMAND.name, ListMembers, |server, members| show(server, &members))
    }
}

fn show(server: &Server, members: &[Member]) -> String {
    let mut text = format!("Cluster info from {server}:\nNode Id\t\tHostname\t\tPort\n");
    for member in members {
        text.push_str(&format!("{}\t\t{}\t\t{}\n", member.node_id, shown(&member.hostname), member.port));
    }
    text
}
