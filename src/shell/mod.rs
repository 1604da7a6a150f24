//! The session from start-up to goodbye: reads a line, finds its command, runs it, again.
//!
//! One loop serves every console that is a [`Shell`]: it says what its prompt is, what a line does and how it
//! ends.

mod ended;
mod keys;
mod operator;
mod startup;

use crate::console::{Console, Input};
use crate::outcome::Outcome;

pub use ended::{Ended, Operator, code};
pub use startup::{Unreachable, start_up};

/// A session that reads lines at a prompt.
pub trait Shell {
    /// What is shown before a line is read. Only its last line is the line editor's.
    fn prompt(&self) -> String;

    /// Where the lines come from.
    fn console(&mut self) -> &mut dyn Console;

    /// Makes the next command wait for its servers, whatever was interrupted before.
    fn begin(&mut self);

    /// Runs one line.
    fn run_line(&mut self, line: &str) -> Outcome;

    /// A line was abandoned, or is none: whoever keeps account of lines hears of it.
    fn leave_out(&mut self) {}

    /// Ends the session.
    fn say_goodbye(&mut self);
}

/// What a failed command means for those that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// They are run.
    Continue,
    /// They are not.
    Stop,
}

/// Runs commands until one ends the session or the input ends, and disconnects.
pub fn run(shell: &mut impl Shell, on_error: OnError) -> Ended {
    let mut ended = Ended::AllDone;
    while let Some(outcome) = step(shell) {
        let this = match outcome {
            Outcome::Done => Ended::AllDone,
            Outcome::Unreached => Ended::Unreached,
            Outcome::Failed => Ended::Failed,
            Outcome::Partial => Ended::Partial,
            Outcome::Quit => break,
        };
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
            // A signal may have come with the line.
            shell.console().ended_by().is_none().then(|| shell.run_line(&line))
        }
        Input::Interrupted => {
            shell.leave_out();
            Some(Outcome::Failed)
        }
        Input::Ended => None,
    }
}
