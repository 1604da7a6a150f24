//! `enable_e2e`

use crate::cluster::{Limitation, Opened, Server};
use crate::cmu::{Action, Command, Session, Stop};
use crate::wire::anchor::AnchorError;

pub(super) static COMMAND: Command = Command {
    name: "enable_e2e",
    arguments: &[],
    summary: "Make the servers prove that they belong to the cluster",
    description: "\
Ends limited commands mode: reads the CA certificate that the configuration names (owner_cert_path) again and
reconnects to each server that has not proved that it holds the cluster's key. This also happens at start-up;
repeating it does no harm. A user who was logged in on a connection that is replaced has to log in again.",
    example: "enable_e2e",
    permission: None,
    build: |_| Ok(Box::new(EnableE2e)),
};

struct EnableE2e;

impl Action for EnableE2e {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let scope = session.scope();
        session.reconnect(&scope);
        let mut text = String::new();
        let untrusted: Vec<usize> =
            scope.iter().copied().filter(|number| !is_trusted(session, *number)).collect();
        // Only these get a new connection: on the others it would end the login.
        let mut failures = session.watched(async |cluster| {
            let mut failures = Vec::new();
            cluster.open(&untrusted, |_| (), |server, opened| failures.extend(failure(server, opened))).await;
            failures
        });
        for number in scope {
            match failures.iter().position(|(failed, _)| *failed == number) {
                Some(at) => text.push_str(&failures.swap_remove(at).1),
                None => text.push_str(&session.server(number).map(trusted_lines).unwrap_or_default()),
            }
        }
        session.console.print(&text);
        let are_trusted = untrusted.iter().all(|number| is_trusted(session, *number));
        if are_trusted { Ok(()) } else { Err(Stop::Servers) }
    }
}

/// The line for a server that has proved that it belongs to the cluster.
#[must_use]
pub fn trusted_lines(server: &Server) -> String {
    format!("E2E enabled on {server}\n")
}

/// The lines for a server that is now in limited commands mode.
#[must_use]
pub fn limited_lines(server: &Server, limitation: &Limitation) -> String {
    let reason = match limitation {
        Limitation::NoAnchor(error @ AnchorError::Missing(path)) => format!("{},\n{error}", path.display()),
        Limitation::NoAnchor(error) => error.to_string(),
        Limitation::Distrust(reason) => format!("Certificate ERROR: [{reason}]"),
    };
    format!(
        "{reason}\nServer {}({}) is in unencrypted mode now...\nrunning in limited commands mode\n{}",
        server.number(),
        server.name(),
        not_enabled(limitation),
    )
}

fn failure(server: &Server, opened: &Opened) -> Option<(usize, String)> {
    let text = match opened {
        Opened::Trusted(_) => return None,
        Opened::Limited(_, limitation) => limited_lines(server, limitation),
        Opened::Failed(reason) => format!("Enabling E2E failed on {server}: {reason}\n"),
    };
    Some((server.number(), text))
}

fn not_enabled(limitation: &Limitation) -> String {
    let reason = match limitation {
        Limitation::NoAnchor(AnchorError::Missing(_)) => {
            "Error: partition owner certificate doesn't exist at given path.\nFailed to create client ssl ctx"
                .to_owned()
        }
        Limitation::NoAnchor(error) => format!("Error: {error}\nFailed to create client ssl ctx"),
        Limitation::Distrust(reason) => format!("Error: Certificate ERROR: [{reason}]"),
    };
    format!("{reason}\nE2E Session failed: E2E setup failed\nEnabling E2E failed\n")
}

fn is_trusted(session: &Session<'_>, number: usize) -> bool {
    session.server(number).is_some_and(|server| server.is_trusted() && server.is_connected())
}
