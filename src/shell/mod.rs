//! The session from start-up to goodbye: a loop that reads a line and runs its command.
//!
//! The loop serves both tools. Each is a [`Shell`]: it has a prompt, runs a line and says goodbye.

mod cmu;
mod ended;
mod kmu;
mod startup;

use clap::ValueEnum;

use crate::console::{Console, Input};
use crate::outcome::Outcome;

pub use ended::{Ended, Operator, code};
pub use startup::{Unreachable, start_up};

/// A session that reads lines at a prompt.
pub trait Shell {
    /// What is shown before a line is read. Only its last line is redrawn while the line is edited.
    fn prompt(&self) -> String;

    /// Where its lines come from and its text goes.
    fn console(&mut self) -> &mut dyn Console;

    /// Clears an earlier interrupt, so that the next command waits for its servers again.
    fn begin(&mut self);

    /// Runs one line.
    fn run_line(&mut self, line: &str) -> Outcome;

    /// Called when a line was abandoned or is not valid text, so that it is still accounted for.
    fn skip_line(&mut self) {}

    /// Ends the session.
    fn say_goodbye(&mut self);
}

/// Whether a failed command ends the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "clap would show it in --help")]
pub enum OnError {
    Stop,
    Continue,
}

/// Runs commands until one ends the session or the input ends, then disconnects.
pub fn run(shell: &mut impl Shell, on_error: OnError) -> Ended {
    let mut ended = Ended::AllDone;
    while let Some(outcome) = step(shell) {
        let Some(this) = Ended::after(outcome) else { break };
        ended = ended.max(this);
        if this > Ended::AllDone && on_error == OnError::Stop {
            break;
        }
    }
    shell.say_goodbye();
    match shell.console().ended_by() {
        Some(signal) => Ended::Interrupted(signal),
        None if shell.console().is_lost() => Ended::ConsoleLost,
        None => ended,
    }
}

/// Shows the prompt, reads a line and runs it; `None` at the end of input.
pub fn step(shell: &mut impl Shell) -> Option<Outcome> {
    shell.begin();
    let prompt = shell.prompt();
    let (above, prompt) = prompt.split_at(prompt.rfind('\n').map_or(0, |end| end.saturating_add(1)));
    shell.console().print(above);
    match shell.console().line(prompt) {
        Input::Given(line) if line.trim_start().starts_with('#') => Some(Outcome::Done),
        Input::Given(line) => {
            shell.console().commence();
            // A signal that came with the line is already ending the program.
            shell.console().ended_by().is_none().then(|| shell.run_line(&line))
        }
        Input::Interrupted => {
            shell.skip_line();
            Some(Outcome::Failed)
        }
        Input::Ended => None,
    }
}
