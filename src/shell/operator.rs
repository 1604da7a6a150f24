//! The management console as a shell.

use super::Shell;
use crate::cmu::{Session, Words, find};
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
        self.interrupt.clear();
    }

    /// Blank lines do nothing.
    fn run_line(&mut self, line: &str) -> Outcome {
        let Some((word, arguments)) = Words::split(line) else { return Outcome::Done };
        let command = match find(word) {
            Ok(command) => command,
            Err(unknown) => {
                self.console.print(&format!("{unknown}\n"));
                return Outcome::Failed;
            }
        };
        match (command.parse)(arguments) {
            Ok(action) => action.run(self),
            Err(usage) => {
                self.print_usage(command, &usage);
                Outcome::Failed
            }
        }
    }

    fn say_goodbye(&mut self) {
        self.console.print("disconnecting from servers, please wait...\n");
        self.wait(async |cluster, _| cluster.close().await);
    }
}
