//! How a session ended, and the program's exit code.

use crate::console;
use crate::outcome::Outcome;

/// How a session ended. The greatest counts: a session is as bad as its worst command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// Every command succeeded on every server.
    AllDone,
    /// A command reached no server.
    Unreached,
    /// A command failed.
    Failed,
    /// A command was done on some servers and not on others, or servers differ.
    Partial,
    /// The input could not be read or the output not be written; the remaining commands were not run.
    ConsoleLost,
    /// This signal ended a command; the remaining commands were not run.
    Interrupted(i32),
}

/// Who gives the commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Has seen what failed: the exit code is 0.
    Person,
    /// Knows only the exit code.
    Script,
}

/// Exit codes, which scripts depend on.
pub mod code {
    /// A command failed.
    pub const FAILED: u8 = 1;
    /// Wrong usage or configuration.
    pub const WRONG: u8 = 2;
    /// A server was not reached at the start, or none by a command.
    pub const UNREACHED: u8 = 3;
    /// A command was done on some servers and not on others, or servers differ.
    pub const PARTIAL: u8 = 4;
}

impl Ended {
    /// How a session of this one command ends; `None` if the command itself ends it.
    pub(super) fn after(outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::Done => Some(Self::AllDone),
            Outcome::Unreached => Some(Self::Unreached),
            Outcome::Failed => Some(Self::Failed),
            Outcome::Partial | Outcome::Different => Some(Self::Partial),
            Outcome::Quit => None,
        }
    }

    /// Reports on standard error what the session has not shown, and returns the program's exit code.
    #[must_use]
    pub fn report(self, program: &str, operator: Operator) -> u8 {
        if self == Self::ConsoleLost {
            let what = "standard input or output failed; the remaining commands were not run";
            console::report(&format!("{program}: {what}"));
        }
        match (self, operator) {
            (Self::AllDone, _) | (Self::Unreached | Self::Failed | Self::Partial, Operator::Person) => 0,
            (Self::Unreached, Operator::Script) => code::UNREACHED,
            (Self::Failed, Operator::Script) | (Self::ConsoleLost, _) => code::FAILED,
            (Self::Partial, Operator::Script) => code::PARTIAL,
            // As a shell reports a program that the signal ended: 128 and its number.
            (Self::Interrupted(signal), _) => u8::try_from(signal).map_or(u8::MAX, |signal| signal | 128),
        }
    }
}
