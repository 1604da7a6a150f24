//! The session from start-up to goodbye: reads a line, finds its command, runs it, again.

mod startup;

use crate::cmu::{Outcome, Session, Words, find};
use crate::console::Input;

pub use startup::{Unreachable, start_up};

/// How a session went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every command succeeded on every server.
    AllDone,
    /// Some command did not, or not everywhere.
    SomethingFailed,
    /// The input could not be read or the output not be written, and what was left of the input was not run.
    ConsoleLost,
}

/// Runs commands until `quit` or the end of input, and disconnects.
pub fn run(session: &mut Session<'_>) -> Ended {
    let mut ended = Ended::AllDone;
    loop {
        match step(session) {
            Some(Outcome::Done) => {}
            Some(Outcome::Failed) => ended = Ended::SomethingFailed,
            Some(Outcome::Quit) => break,
            None => break,
        }
    }
    session.console.print("disconnecting from servers, please wait...\n");
    session.wait(async |cluster, _| cluster.close().await);
    if session.console.is_lost() { Ended::ConsoleLost } else { ended }
}

/// Shows the prompt, reads a line and runs it; `None` at the end of input.
pub fn step(session: &mut Session<'_>) -> Option<Outcome> {
    session.interrupt.clear();
    match session.console.line(&session.prompt()) {
        Input::Given(line) => Some(run_line(session, &line)),
        Input::Interrupted => Some(Outcome::Failed),
        Input::Ended => None,
    }
}

/// Runs one line; blank ones and those that begin with `#` do nothing.
fn run_line(session: &mut Session<'_>, line: &str) -> Outcome {
    let Some((word, arguments)) = Words::split(line) else { return Outcome::Done };
    if word.starts_with('#') {
        return Outcome::Done;
    }
    let command = match find(word) {
        Ok(command) => command,
        Err(unknown) => {
            session.console.print(&format!("{unknown}\n"));
            return Outcome::Failed;
        }
    };
    match (command.parse)(arguments) {
        Ok(action) => action.run(session),
        Err(usage) => {
            session.print_usage(command, &usage);
            Outcome::Failed
        }
    }
}
