//! The management console as a shell.

use super::Shell;
use crate::cmu::{COMMANDS, Session};
use crate::command::split;
use crate::console::Console;
use crate::outcome::Outcome;

impl Shell for Session<'_> {
    fn prompt(&self) -> String {
        Session::prompt(self)
    }

    fn console(&mut self) -> &mut dyn Console {
        self.console
    }

    fn begin(&mut self) {
        Session::begin(self);
    }

    /// Blank lines do nothing.
    fn run_line(&mut self, line: &str) -> Outcome {
        let Some((word, arguments)) = split(line) else { return Outcome::Done };
        let (name, outcome) = match COMMANDS.find(word) {
            Ok(command) => (command.name, self.run(command, arguments)),
            Err(unknown) => {
                self.console.print(&format!("{unknown}\n"));
                // Not the word itself: it may be a password in the wrong place.
                ("", Outcome::Failed)
            }
        };
        self.account(name, line, outcome);
        outcome
    }

    fn skip_line(&mut self) {
        self.account("", "", Outcome::Failed);
    }

    fn say_goodbye(&mut self) {
        self.console.print("disconnecting from servers, please wait...\n");
        self.wait(async |cluster, _| cluster.close().await);
    }
}

impl Session<'_> {
    /// Records the line for a program that reads JSON, and reports where in its file a failed one is.
    fn account(&mut self, command: &str, line: &str, outcome: Outcome) {
        self.record(command, line, outcome);
        let command = if command.is_empty() { "the command" } else { command };
        match outcome {
            Outcome::Done | Outcome::Quit => {}
            Outcome::Different => self.console.blame(&format!("{command} found differences")),
            Outcome::Unreached | Outcome::Failed | Outcome::Partial => {
                self.console.blame(&format!("{command} failed"));
            }
        }
    }
}
