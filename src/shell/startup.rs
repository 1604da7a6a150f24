//! Connecting, and the banner that the console prints meanwhile.

use std::fmt::Write;

use crate::cluster::{Opened, Server};
use crate::cmu::{Session, limited_lines, trusted_lines};

/// What to do if a server is not reached at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// Give up, as the original does: nobody should change part of a cluster unknowingly.
    GiveUp,
    /// Go on; every command names the missing servers.
    GoOn,
}

const CONNECTING: &str = "\
Connecting to the server(s), it may take time
depending on the server(s) load, please wait...

";

/// Connects to all servers and prints how it went; `false` if the session must not begin.
pub fn start_up(session: &mut Session<'_>, sets_e2e: bool, unreachable: Unreachable) -> bool {
    if sets_e2e {
        session.console.print("Ignoring E2E enable flag in the configuration file\n\n");
    }
    session.console.print(CONNECTING);
    let scope = session.cluster.everywhere();
    let missing = session.wait(async |cluster, console| {
        let mut missing = 0_usize;
        // Both closures print, and `open` holds both at once.
        let console = std::cell::RefCell::new(console);
        let before = |server: &Server| console.borrow_mut().print(&connecting(server));
        let after = |server: &Server, opened: &Opened| {
            console.borrow_mut().print(&connected(server, opened));
            missing = missing.saturating_add(usize::from(matches!(opened, Opened::Failed(_))));
        };
        cluster.open(&scope, before, after).await;
        missing
    });
    if let Some((one, other)) = session.cluster.twice_the_same() {
        let text = format!("{one} and {other} are the same HSM, exiting...\n");
        session.console.print(&text);
        session.record_start(false);
        return false;
    }
    let goes_on = missing == 0 || (unreachable == Unreachable::GoOn && missing < scope.len());
    if !goes_on {
        session.console.print("Connection to one of servers failed, exiting...\n");
    }
    session.record_start(goes_on);
    goes_on
}

fn connecting(server: &Server) -> String {
    let dial = server.dial();
    format!("Connecting to server '{}': hostname '{}', port {}...\n", dial.name, dial.hostname, dial.port)
}

fn connected(server: &Server, opened: &Opened) -> String {
    let dial = server.dial();
    let mut text =
        format!("Connected to server '{}': hostname '{}', port {}.\n", dial.name, dial.hostname, dial.port);
    match opened {
        Opened::Trusted(_) => text.push_str(&trusted_lines(server)),
        Opened::Limited(_, limitation) => text.push_str(&limited_lines(server, limitation)),
        Opened::Failed(reason) => {
            text.clear();
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "Connection to server {}({}) on port {} failed:{reason}",
                dial.name, dial.hostname, dial.port
            );
        }
    }
    text
}
