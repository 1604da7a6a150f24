//! Running one line.

use super::commands::help::{list, page};
use super::flags::{Flags, Usage};
use super::{Session, find};
use crate::outcome::Outcome;

/// Runs a line: what is no command gets the list of all, what is no right argument the command's help.
pub fn run_line(session: &mut Session<'_>, line: &str) -> Outcome {
    let line = line.trim();
    if line.is_empty() {
        return Outcome::Done;
    }
    let (word, arguments) = line.split_once(|at: char| at.is_ascii_whitespace()).unwrap_or((line, ""));
    let Some(command) = find(word) else {
        session.print(&list());
        return Outcome::Failed;
    };
    let action = Flags::parse(command, arguments).and_then(|flags| (command.parse)(&flags));
    let usage = match action {
        Ok(action) => {
            if command.access.is_some() {
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
    match usage {
        Usage::Asked | Usage::NotUnderstood => {}
        Usage::Missing { .. } | Usage::Wrong(_) => session.print(&format!("\n\tError: {usage}\n")),
    }
    session.print(&page(command));
    if usage == Usage::Asked { Outcome::Done } else { Outcome::Failed }
}
