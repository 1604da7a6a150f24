//! What an HSM holds, in numbers.

use super::Hsm;

/// Numbers alone: nothing in it names a user, a key or a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// Of all types.
    pub users: usize,
    /// Those of them with too many wrong passwords.
    pub locked_out: usize,
    /// Sessions with a login.
    pub logins: usize,
    /// Token and session keys.
    pub keys: usize,
    /// Quorum tokens, also those that have expired and are still in memory.
    pub tokens: usize,
    /// Of the last audit record; 0 without any.
    pub audit_sequence: u64,
    /// How often the HSM was started.
    pub reboots: u32,
}

impl Hsm {
    /// Counts; a thousand users take microseconds.
    #[must_use]
    pub fn census(&self) -> Census {
        Census {
            users: self.users.len(),
            locked_out: self.users.values().filter(|user| user.is_locked_out()).count(),
            logins: self.sessions.len(),
            keys: self.keys.len(),
            tokens: self.tokens.len(),
            audit_sequence: self.audit.sequence(),
            reboots: self.reboots,
        }
    }
}
