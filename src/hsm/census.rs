//! What an HSM holds, in numbers.

use super::Hsm;

/// Numbers alone: nothing in it names a user, a key or a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// Users of all types.
    pub users: usize,
    /// Users with too many wrong passwords.
    pub locked_out: usize,
    /// Sessions with a login.
    pub logins: usize,
    /// Token and session keys.
    pub keys: usize,
    /// Quorum tokens in memory, including expired ones.
    pub tokens: usize,
    /// The number of the last audit record, or 0.
    pub audit_sequence: u64,
    /// How often the HSM was started.
    pub reboots: u32,
}

impl Hsm {
    /// Counts. It is cheap enough for every scrape: a thousand users take microseconds.
    #[must_use]
    pub fn census(&self) -> Census {
        Census {
            users: self.users.len(),
            locked_out: self.users.values().filter(|user| user.is_locked_out()).count(),
            logins: self.sessions.len(),
            keys: self.keys.len(),
            tokens: self.tokens.len(),
            audit_sequence: self.audit.sequence,
            reboots: self.reboots,
        }
    }
}
