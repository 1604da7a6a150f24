//! The start of a session: connecting, and the text before the first prompt.

use std::fmt::Display;

use super::Session;
use super::commands::help::list;
use crate::cluster::{Limitation, Opened, Server};

const INITIALIZED: &str = "
\tCfm3Initialize() returned app id : 01000000 

\tsession_handle 1000000 

\tCurrent FIPS mode is: 00000002
";

/// Connects to all nodes. `false` if the session must not begin, because no node can be trusted or two are the same
/// HSM.
///
/// One trusted node is enough: a node that is not reached shows in the status block of every command.
pub fn start_up(session: &mut Session<'_>) -> bool {
    let scope = session.everywhere();
    let (mut trusted, mut problems) = (0_usize, String::new());
    let after = |server: &Server, opened: &Opened| match opened {
        Opened::Trusted(_) => trusted = trusted.saturating_add(1),
        Opened::Limited(_, Limitation::NoAnchor(error)) => problems.push_str(&problem(server, error)),
        Opened::Limited(_, Limitation::Distrust(reason)) => {
            problems.push_str(&problem(server, &format!("Certificate ERROR: [{reason}]")));
        }
        Opened::Failed(reason) => problems.push_str(&problem(server, reason)),
    };
    session.wait(async |cluster, _| cluster.open(&scope, |_| (), after).await);
    session.print(&problems);
    // A copy would go to the HSM that made the key, and count as a second node that holds it.
    let twice = session.cluster.twice_the_same().map(|(one, other)| format!("{one} and {other}"));
    if let Some(both) = twice {
        session.print(&format!("\n{both} are the same HSM, exiting...\n"));
        return false;
    }
    if trusted == 0 {
        session.print("\nConnection to every server failed, exiting...\n");
        return false;
    }
    session.print(INITIALIZED);
    true
}

/// Prints the list of commands, with which a session at the prompt begins.
pub fn list_commands(session: &mut Session<'_>) {
    session.print(&list());
}

fn problem(server: &Server, reason: &dyn Display) -> String {
    format!("\n\tNode id {}({}) is unavailable: {reason}\n", server.number(), server.name())
}
