//! How a session went, and the exit code that tells it.

/// How a session went: by the command that went worst, a worse one further down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// Every command succeeded on every server.
    AllDone,
    /// A command reached no server.
    Unreached,
    /// A command failed.
    Failed,
    /// A command was done on some servers and not on others.
    Partial,
    /// The input could not be read or the output not be written, and what was left of the input was not run.
    ConsoleLost,
    /// A signal of this number ended a command, and what was left of the input was not run.
    Interrupted(i32),
}

/// Who typed the commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Who saw what failed.
    Person,
    /// Which needs to be told.
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
    /// A command was done on some servers and not on others.
    pub const PARTIAL: u8 = 4;
}

impl Ended {
    /// What the program ends with.
    #[must_use]
    pub fn exit_code(self, operator: Operator) -> u8 {
        match (self, operator) {
            (Self::AllDone, _) | (Self::Unreached | Self::Failed | Self::Partial, Operator::Person) => 0,
            (Self::Unreached, Operator::Script) => code::UNREACHED,
            (Self::Failed, Operator::Script) | (Self::ConsoleLost, _) => code::FAILED,
            (Self::Partial, Operator::Script) => code::PARTIAL,
            // As a shell has it of a program that the signal ended.
            (Self::Interrupted(signal), _) => u8::try_from(signal).map_or(u8::MAX, |signal| signal | 128),
        }
    }

    /// What nobody has been told yet.
    #[must_use]
    pub fn complaint(self) -> Option<&'static str> {
        match self {
            Self::ConsoleLost => Some("standard input or output failed; the remaining commands were not run"),
            Self::AllDone | Self::Unreached | Self::Failed | Self::Partial | Self::Interrupted(_) => None,
        }
    }
}
