//! The lines that tell a failure, the same for all commands.

use std::fmt::Display;

use super::Session;
use crate::cluster::Server;

/// How a command names the server on which it failed. The original words it differently from command to command.
pub(super) type Context = fn(&str, &Server) -> String;

/// `listUsers failed on server 0(10.0.0.1)`.
pub(super) fn usual_context(command: &str, server: &Server) -> String {
    format!("{command} failed on {server}")
}

/// Prints why a command failed, and in global mode where.
pub(super) fn print_failure(
    session: &mut Session<'_>,
    command: &str,
    context: Context,
    number: usize,
    failure: &impl Display,
) {
    let text = failure_lines(session, command, context, number, failure);
    session.console.print(&text);
}

/// Why a command failed, and in global mode where.
pub(super) fn failure_lines(
    session: &Session<'_>,
    command: &str,
    context: Context,
    number: usize,
    failure: &impl Display,
) -> String {
    let mut text = format!("{command} failed: {failure}\n");
    if let (None, Some(server)) = (session.pinned, session.server(number)) {
        text.push_str(&context(command, server));
        text.push('\n');
    }
    text
}
