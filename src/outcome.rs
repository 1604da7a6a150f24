//! How a command ended: what both consoles tell the loop that runs them.

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// On every server, or as the operator chose.
    Done,
    /// Not, or not on every server.
    Failed,
    /// The session is over.
    Quit,
}
