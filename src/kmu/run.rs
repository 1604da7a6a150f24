//! Running one line.

use super::commands::help::{list, page};
use super::{COMMANDS, Session};
use crate::command::{Usage, split};
use crate::outcome::Outcome;

/// Runs a line. An unknown command is named above the list of commands; wrong arguments print the command's page.
pub fn run_line(session: &mut Session<'_>, line: &str) -> Outcome {
    let Some((word, arguments)) = split(line) else { return Outcome::Done };
    let Ok(command) = COMMANDS.find(word) else {
        // The original prints only the list, and a log does not say what failed.
        let line = COMMANDS.redact(line.trim_ascii());
        session.print(&format!("\n\tError: Unknown command: {line}\n{}", list()));
        return Outcome::Failed;
    };
    let usage = match COMMANDS.read(command, arguments) {
        Ok(action) => {
            // Commands that contact no HSM, such as `help`, must not wait for one.
            if command.permission.is_some() {
                session.reconnect();
            }
            return match action.run(session) {
                Ok(text) => {
                    session.print(&text);
                    Outcome::Done
                }
                Err(stop) => {
                    let outcome = stop.outcome();
                    session.print(&stop.into_text());
                    outcome
                }
            };
        }
        Err(usage) => usage,
    };
    if !matches!(usage, Usage::Asked | Usage::NotUnderstood) {
        session.print(&format!("\n\tError: {usage}\n"));
    }
    session.print(&page(command));
    if usage == Usage::Asked { Outcome::Done } else { Outcome::Failed }
}
