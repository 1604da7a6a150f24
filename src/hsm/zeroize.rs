//! What is left of an HSM whose owner has zeroized it: its name, and its audit log, which goes on.

use super::audit::Opcode;
use super::{Deed, Event, Hsm, SessionId};

/// Of the audit record; the command is this project's.
const OPCODE: Opcode = Opcode(0x1009);

impl Hsm {
    /// The HSM as `first` makes it, without any user or key of before, and the audit record of that.
    ///
    /// It remembers no key and no deletion either, so that other HSMs of the cluster lose none by it.
    #[must_use]
    pub fn zeroized(&self, first: &[Event], now: u64) -> (Self, Event) {
        let deed = Deed { opcode: OPCODE, refusal: None, session: SessionId(0), user: None, key: None };
        let record = Event::Recorded(self.audit.next(deed, now, self.reboots));
        let mut hsm = Self { keys: self.keys.emptied(), reboots: self.reboots, ..Self::default() };
        first.iter().chain([&record]).for_each(|event| hsm.apply(event));
        (hsm, record)
    }
}
