//! The lines that report a failure, the same for all commands.

use std::fmt::Display;

use super::Session;
use crate::cluster::Server;

/// How a command names the server on which it failed. The original's wording differs from command to command.
pub(super) type Context = fn(&str, &Server) -> String;

/// `listUsers failed on server 0(10.0.0.1)`.
pub(super) fn usual_context(command: &str, server: &Server) -> String {
    format!("{command} failed on {server}")
}

/// Prints why a command failed and, in global mode, on which server.
pub(super) fn print_failure(session: &mut Session<'_>, command: &str, number: usize, failure: &impl Display) {
    let text = failure_lines(command, usual_context, session.place(number), failure);
    session.console.print(&text);
}

/// Why a command failed, and on which server if `place` is given.
pub(super) fn failure_lines(
    command: &str,
    context: Context,
    place: Option<&Server>,
    failure: &impl Display,
) -> String {
    let place = place.map(|server| format!("{}\n", context(command, server)));
    format!("{command} failed: {failure}\n{}", place.unwrap_or_default())
}
