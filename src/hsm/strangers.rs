//! What strangers do, who are connected and not logged in. It is counted, not listed: they can ask without end, and the
//! audit log is never shortened by itself.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::audit::{AuditRecord, Opcode};
use super::{Event, Hsm, SessionId};
use crate::protocol::Refusal;
use crate::protocol::key::KeyHandle;
use crate::protocol::user::UserType;

/// One management command of a stranger, with the fields of its audit record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of a record")]
pub struct Deed {
    pub opcode: Opcode,
    pub refusal: Option<Refusal>,
    pub session: SessionId,
    pub user: Option<(UserType, String)>,
    pub key: Option<KeyHandle>,
}

/// How often strangers did something, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Commands.
    pub count: u64,
    /// The first eight.
    pub addresses: BTreeSet<IpAddr>,
    /// Whether there were more addresses.
    pub others: bool,
}

/// A record of what strangers did. Event and store keep the tally apart from the record, whose format is older.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tallied {
    record: AuditRecord,
    tally: Tally,
}

/// Addresses that a record names.
const MAX_ADDRESSES: usize = 8;

/// From one record of a kind to the next.
const PAUSE: Duration = Duration::from_secs(60);

/// What strangers did and no record says yet, by its kind. There are only so many operations and refusals.
#[derive(Default)]
pub struct Strangers(BTreeMap<(Opcode, Option<u32>), Kind>);

/// Commands of one operation that ended alike.
#[derive(Default)]
struct Kind {
    /// When the last record was made, in microseconds since 1970.
    recorded: Option<u64>,
    pending: Option<Deeds>,
}

/// Commands that share a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deeds {
    deed: Deed,
    tally: Tally,
}

impl Strangers {
    /// Counts.
    pub fn note(&mut self, deed: Deed, address: IpAddr) {
        let tally = Tally { count: 1, addresses: BTreeSet::from([address]), others: false };
        self.add(Deeds { deed, tally });
    }

    fn add(&mut self, deeds: Deeds) {
        let kind = self.0.entry(deeds.deed.kind()).or_default();
        match &mut kind.pending {
            Some(pending) => pending.add(deeds),
            pending @ None => *pending = Some(deeds),
        }
    }

    /// Takes out what is due for a record: the first of a kind at once, and what follows it after a minute.
    pub fn due(&mut self, now: u64) -> Vec<Deeds> {
        let mut due = Vec::new();
        for kind in self.0.values_mut().filter(|kind| kind.wait(now).is_some_and(|wait| wait.is_zero())) {
            due.extend(kind.pending.take());
            kind.recorded = Some(now);
        }
        due
    }

    /// Takes out all.
    pub fn rest(&mut self) -> Vec<Deeds> {
        self.0.values_mut().filter_map(|kind| kind.pending.take()).collect()
    }

    /// Puts back what could not be recorded.
    pub fn put_back(&mut self, due: Vec<Deeds>) {
        for deeds in due {
            if let Some(kind) = self.0.get_mut(&deeds.deed.kind()) {
                kind.recorded = None;
            }
            self.add(deeds);
        }
    }

    /// How long until something is due; `None` if nothing is pending.
    #[must_use]
    pub fn wait(&self, now: u64) -> Option<Duration> {
        self.0.values().filter_map(|kind| kind.wait(now)).min()
    }
}

impl Kind {
    fn wait(&self, now: u64) -> Option<Duration> {
        self.pending.as_ref()?;
        // A clock that was set back makes the pause no longer.
        let since = self.recorded.map(|recorded| Duration::from_micros(now.abs_diff(recorded)));
        Some(since.map_or(Duration::ZERO, |since| PAUSE.saturating_sub(since)))
    }
}

impl Deeds {
    fn add(&mut self, other: Self) {
        self.deed.keep_common(&other.deed);
        self.tally.add(other.tally);
    }
}

impl Deed {
    fn kind(&self) -> (Opcode, Option<u32>) {
        (self.opcode, self.refusal.map(Refusal::code))
    }

    /// Keeps what is said of both.
    fn keep_common(&mut self, other: &Self) {
        if self.session != other.session {
            self.session = SessionId(0);
        }
        self.user.take_if(|user| other.user.as_ref() != Some(user));
        self.key.take_if(|key| other.key != Some(*key));
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.others |= other.others;
        for address in other.addresses {
            if self.addresses.len() < MAX_ADDRESSES || self.addresses.contains(&address) {
                self.addresses.insert(address);
            } else {
                self.others = true;
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses: Vec<_> = self.addresses.iter().map(ToString::to_string).collect();
        let others = if self.others { " and others" } else { "" };
        writeln!(f, "Count : {}", self.count)?;
        writeln!(f, "From : {}{others}", addresses.join(", "))
    }
}

impl Tallied {
    /// The record's number.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.record.sequence
    }

    /// The record with its tally.
    #[must_use]
    pub fn whole(&self) -> AuditRecord {
        AuditRecord { tally: Some(self.tally.clone()), ..self.record.clone() }
    }
}

impl Hsm {
    /// The records of what strangers did, in a row.
    #[must_use]
    pub fn tallied(&self, due: &[Deeds], now: u64) -> Vec<Event> {
        let mut head = self.audit.clone();
        let record = |Deeds { deed, tally }: &Deeds| {
            let record = head.next(deed.clone(), now, self.reboots);
            let tallied = Tallied { record, tally: tally.clone() };
            head = tallied.whole().head();
            Event::Tallied(tallied)
        };
        due.iter().map(record).collect()
    }
}

#[cfg(test)]
mod tests {
    use core::net::IpAddr;
    use core::time::Duration;

    use super::{Deed, MAX_ADDRESSES, PAUSE, Strangers, Tally};
    use crate::hsm::SessionId;
    use crate::hsm::audit::Opcode;
    use crate::protocol::Refusal;
    use crate::protocol::key::KeyHandle;
    use crate::protocol::user::UserType;

    const MINUTE: u64 = 60_000_000;

    fn deed(session: u32, name: &str) -> Deed {
        Deed {
            opcode: Opcode(0x0d),
            refusal: Some(Refusal::NoSuchUser),
            session: SessionId(session),
            user: Some((UserType::Cu, name.to_owned())),
            key: None,
        }
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn the_first_is_due_at_once_and_the_others_together_after_a_minute() {
        let mut strangers = Strangers::default();
        strangers.note(deed(1, "bill"), address(1));
        let first = strangers.due(MINUTE);
        assert_eq!((first[0].tally.count, &first[0].deed), (1, &deed(1, "bill")));
        for session in 2..102 {
            strangers.note(deed(session, "bill"), address(1));
            assert!(strangers.due(2 * MINUTE - 1).is_empty());
        }
        let others = strangers.due(2 * MINUTE);
        assert_eq!((others[0].tally.count, others.len()), (100, 1));
        assert_eq!(others[0].deed, deed(0, "bill"), "no session did all of it");
        assert_eq!(strangers.wait(2 * MINUTE), None);
        strangers.note(deed(1, "bill"), address(1));
        assert_eq!(strangers.wait(2 * MINUTE + 1), Some(PAUSE - Duration::from_micros(1)));
    }

    #[test]
    fn a_record_says_what_all_that_it_counts_have_in_common() {
        let of_key = |key| Deed { user: None, key: Some(KeyHandle(key)), ..deed(7, "") };
        for (second, expected) in [(6, Some(KeyHandle(6))), (8, None)] {
            let mut strangers = Strangers::default();
            strangers.note(of_key(6), address(1));
            strangers.note(of_key(second), address(1));
            let deed = strangers.rest().remove(0).deed;
            assert_eq!((deed.session, deed.key), (SessionId(7), expected));
        }
    }

    #[test]
    fn what_could_not_be_recorded_is_not_lost() {
        let mut strangers = Strangers::default();
        strangers.note(deed(1, "bill"), address(1));
        let due = strangers.due(MINUTE);
        strangers.note(deed(1, "joe"), address(2));
        strangers.put_back(due);
        let due = strangers.due(MINUTE + 1);
        assert_eq!((due[0].tally.count, due[0].tally.addresses.len()), (2, 2));
        assert_eq!(due[0].deed.user, None, "two names were tried");
    }

    #[test]
    fn a_record_names_only_so_many_addresses() {
        let mut strangers = Strangers::default();
        (0..200).for_each(|last| strangers.note(deed(1, "bill"), address(last)));
        let tally = strangers.rest().remove(0).tally;
        assert_eq!((tally.count, tally.addresses.len(), tally.others), (200, MAX_ADDRESSES, true));
        // What could not be recorded is added to what came later.
        let (mut few, many) = (Tally::default(), Tally { others: true, ..Tally::default() });
        few.add(Tally::default());
        assert!(!few.others);
        few.add(many);
        assert!(few.others);
    }
}
