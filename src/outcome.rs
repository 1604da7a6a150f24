//! How a command ended, for the loop that runs commands and for exit codes.

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// On every server, or as the operator chose.
    Done,
    /// No server was reached.
    Unreached,
    /// Refused, not understood, or given up.
    Failed,
    /// Done on some servers, and not on others.
    Partial,
    /// Servers were compared, and differ.
    Different,
    /// The session is over.
    Quit,
}
