//! `key_mgmt_util` as a shell.

use super::Shell;
use crate::command::split;
use crate::console::Console;
use crate::kmu::{Session, run_line};
use crate::outcome::Outcome;

impl Shell for Session<'_> {
    fn prompt(&self) -> String {
        "\nCommand:  ".to_owned()
    }

    fn console(&mut self) -> &mut dyn Console {
        self.console
    }

    fn begin(&mut self) {
        self.interrupt.clear();
    }

    fn run_line(&mut self, line: &str) -> Outcome {
        let outcome = run_line(self, line);
        if !matches!(outcome, Outcome::Done | Outcome::Quit) {
            let command = split(line).map_or("the command", |(command, _)| command);
            self.console.blame(&format!("{command} failed"));
        }
        outcome
    }

    /// The original prints nothing.
    fn say_goodbye(&mut self) {
        self.wait(async |cluster, _| cluster.close().await);
    }
}
