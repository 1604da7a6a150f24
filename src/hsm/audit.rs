//! The audit log: one record for each management command, chained by hashes.

use std::fmt::{self, Write};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::hash::sha256;
use super::strangers::{Deed, Tally};
use super::{Case, Part, SessionId};
use crate::protocol::key::{KeyHandle, ShareKey};
use crate::protocol::user::UserType;
use crate::protocol::{Operation, Refusal, Request};

/// One record, in the fields of the original's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Counts from 1 without a gap.
    pub sequence: u64,
    /// Microseconds since 1970.
    pub time: u64,
    /// How often the HSM had been started.
    pub reboots: u32,
    /// The command.
    pub opcode: Opcode,
    /// The connection that it came by.
    pub session: SessionId,
    /// `None` is success.
    pub refusal: Option<Refusal>,
    /// The user that the command was about, as it was typed.
    pub user: Option<(UserType, String)>,
    /// The key that the command was about, or made.
    pub key: Option<KeyHandle>,
    /// The [`AuditRecord::link`] of the record before; zeros in the first.
    pub previous: [u8; 32],
    /// How often strangers did this and from where; `None` for one command of somebody who is logged in.
    #[serde(skip)]
    pub tally: Option<Tally>,
}

/// As many bytes has the text of a record at most, if no strangers are in it.
const FIELDS: usize = 512;

/// A command's number in the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Opcode(pub u16);

/// Where a log, or a piece of one, ends and the next one begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// Of the last record, or 0.
    pub sequence: u64,
    /// The last record's [`AuditRecord::link`], or zeros.
    pub link: [u8; 32],
}

impl AuditRecord {
    /// The hash that the next record holds: of everything in this one, including the hash of the one before.
    ///
    /// It hashes the text, and of a share the key's handle, which the text leaves out.
    #[must_use]
    pub fn link(&self) -> [u8; 32] {
        sha256(self.fields().as_bytes())
    }

    /// Where a log ends with this record.
    #[must_use]
    pub fn head(&self) -> AuditHead {
        AuditHead { sequence: self.sequence, link: self.link() }
    }

    /// When it was made, as in the original's log.
    #[must_use]
    pub fn clock(&self) -> String {
        clock(self.time)
    }

    /// All fields as text, never twice the same: it includes the sequence number and the hash before.
    fn fields(&self) -> String {
        // With room for all of it: a text that grows is copied, and what it leaves is wiped.
        let mut fields = String::with_capacity(FIELDS);
        // A text takes whatever is written to it.
        let _ = write!(fields, "{self}");
        if let Some(key) = self.key.filter(|_| self.is_share()) {
            let _ = writeln!(fields, "Key Handle : {key}");
        }
        HEXLOWER.encode_append(&self.previous, &mut fields);
        fields
    }

    fn is_share(&self) -> bool {
        self.user.is_none() && Some(self.opcode.0) == ShareKey::OPCODE
    }
}

impl fmt::Display for AuditRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Time: {}, usecs:{}", clock(self.time), self.time)?;
        writeln!(f, "Sequence No : {:#x}", self.sequence)?;
        writeln!(f, "Reboot counter : {:#x}", self.reboots)?;
        writeln!(f, "Command Type(hex) : CN_MGMT_CMD (0x0)")?;
        writeln!(f, "Opcode : {}", self.opcode)?;
        writeln!(f, "Session Handle : {}", self.session)?;
        match self.refusal {
            None => writeln!(f, "Response : 0:HSM Return: SUCCESS")?,
            Some(refusal) => writeln!(f, "Response : {}:{}", refusal.code(), refusal.logged())?,
        }
        match (&self.user, self.key) {
            // The original's own words for a shared key, which it does not name.
            (None, Some(_)) if self.is_share() => writeln!(f, "Log type : UNKNOWN_LOG_TYPE (5)")?,
            (None, Some(key)) => {
                writeln!(f, "Log type : MGMT_KEY_DETAILS_LOG (1)")?;
                writeln!(f, "Key Handle : {key}")?;
            }
            (None, None) => writeln!(f, "Log type : MINIMAL_LOG_ENTRY (0)")?,
            (Some((user_type, name)), _) => {
                writeln!(f, "Log type : MGMT_USER_DETAILS_LOG (2)")?;
                writeln!(f, "User Name : {}", name.escape_default())?;
                writeln!(f, "User Type : {}", user_type.audit_name())?;
            }
        }
        self.tally.as_ref().map_or(Ok(()), |tally| tally.fmt(f))
    }
}

/// Where an audit log is no longer what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A record was removed.
    #[error("audit record {0:#x} is missing")]
    Missing(u64),
    /// This record, or the one before it, was altered.
    #[error("audit record {0:#x} does not follow from the one before it")]
    Unchained(u64),
}

/// Verifies that a log, from its first record on, has no gap and no altered record. Only someone who can also alter
/// the HSM's state, which holds the last record's hash, can cut off its end unnoticed.
///
/// # Errors
///
/// The first break.
pub fn verify(log: &[AuditRecord]) -> Result<(), Broken> {
    let mut head = AuditHead::default();
    log.iter().try_for_each(|record| head.follow(record))
}

impl Opcode {
    /// The command's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            0x03 => "CN_CREATE_USER",
            0x04 => "CN_CREATE_CO",
            0x09 => "CN_CHANGE_PSWD",
            0x0d => "CN_LOGIN",
            0x0e => "CN_LOGOUT",
            0x11 => "CN_DESTROY_OBJECT",
            0x12 => "CN_SHARE_OBJECT",
            0x17 => "CN_GENERATE_KEY",
            0x19 => "CN_GENERATE_KEY_PAIR",
            0x1a => "CN_WRAP_KEY",
            0x1b => "CN_UNWRAP_KEY",
            0x1e => "CN_NIST_AES_WRAP",
            0x1f => "CN_MODIFY_OBJECT",
            0xa1 => "CN_DELETE_USER",
            0xf0 => "CN_EXTRACT_MASKED_OBJECT_USER",
            0xf1 => "CN_INSERT_MASKED_OBJECT_USER",
            0x1001 => "CN_REGISTER_MOFN_PUB_KEY",
            0x1002 => "CN_SET_M_VALUE",
            0x1003 => "CN_GET_TOKEN",
            0x1004 => "CN_APPROVE_TOKEN",
            0x1005 => "CN_DELETE_TOKEN",
            0x1006 => "CN_CREATE_OBJECT",
            0x1007 => "CN_END_SESSIONS",
            0x1008 => "CN_UNLOCK_USER",
            0x1009 => "CN_ZEROIZE_HSM",
            _ => "UNKNOWN",
        }
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:#x})", self.name(), self.0)
    }
}

impl AuditHead {
    /// Moves on to the next record.
    ///
    /// # Errors
    ///
    /// If it is another one.
    pub fn follow(&mut self, record: &AuditRecord) -> Result<(), Broken> {
        let sequence = self.sequence.saturating_add(1);
        if record.sequence != sequence {
            return Err(Broken::Missing(sequence));
        }
        if record.previous != self.link {
            return Err(Broken::Unchained(sequence));
        }
        *self = record.head();
        Ok(())
    }

    /// The record that follows.
    pub(super) fn next(&self, deed: Deed, now: u64, reboots: u32) -> AuditRecord {
        let Deed { opcode, refusal, session, user, key } = deed;
        AuditRecord {
            sequence: self.sequence.saturating_add(1),
            time: now,
            reboots,
            opcode,
            session,
            refusal,
            user,
            key,
            previous: self.link,
            tally: None,
        }
    }
}

impl Case<'_> {
    /// What the log says of a management command that is over, once for each of its parts; other operations leave
    /// nothing.
    pub(super) fn deeds(&self, request: &Request, parts: &[Part]) -> Vec<Deed> {
        let Some(opcode) = request.opcode() else { return Vec::new() };
        let deed = |Part { key, refusal }: &Part| Deed {
            opcode: Opcode(opcode),
            session: self.caller,
            refusal: *refusal,
            user: request.subject().map(|(user_type, name)| (user_type, shortened(name))),
            key: key.or(request.key()),
        };
        parts.iter().map(deed).collect()
    }
}

/// A name that a client makes up may have any length; the log keeps the beginning.
fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}

/// `11/14/23 22:13:20.000000`; the year 10000 has no text of this form.
fn clock(micros: u64) -> String {
    let nanos = i128::from(micros).saturating_mul(1000);
    let Ok(time) = OffsetDateTime::from_unix_timestamp_nanos(nanos) else { return String::new() };
    let (year, month, day) = (time.year() % 100, u8::from(time.month()), time.day());
    let (hour, minute, second, micro) = time.to_hms_micro();
    // By the standard library's words: the crate's own take longer, and a log has many records.
    format!("{month:02}/{day:02}/{year:02} {hour:02}:{minute:02}:{second:02}.{micro:06}")
}

#[cfg(test)]
mod tests {
    use super::{AuditHead, AuditRecord, Opcode};
    use crate::hsm::{Deed, SessionId};
    use crate::protocol::Request;
    use crate::protocol::key::KeyHandle;
    use crate::protocol::user::UserType;

    #[test]
    fn every_recorded_operation_has_a_name() {
        // Those of a CO's creation, of a pair and of the owner's unlocking: other than the table's.
        let by_a_field = [0x04, 0x19, 0x1008].map(Some);
        for code in Request::OPCODES.iter().chain(&by_a_field).copied().flatten() {
            assert_ne!(Opcode(code).name(), "UNKNOWN", "{code:#x}");
        }
    }

    #[test]
    fn a_shared_key_is_not_printed() {
        let key = Some(KeyHandle(6));
        let made = record(0x17, None, key);
        assert!(
            made.to_string().ends_with("Log type : MGMT_KEY_DETAILS_LOG (1)\nKey Handle : 6\n"),
            "{made}"
        );
        let shared = record(0x12, None, key);
        assert!(shared.to_string().ends_with("Log type : UNKNOWN_LOG_TYPE (5)\n"), "{shared}");
    }

    #[test]
    fn a_record_is_chained_with_each_of_its_fields() {
        let user = || Some((UserType::Cu, "alice".to_owned()));
        let mut links: Vec<_> = [
            record(0x12, None, Some(KeyHandle(6))),
            record(0x12, None, Some(KeyHandle(7))),
            record(0x12, user(), Some(KeyHandle(6))),
            record(0x17, None, Some(KeyHandle(6))),
            record(0x17, None, Some(KeyHandle(7))),
            record(0x17, None, None),
        ]
        .iter()
        .map(AuditRecord::link)
        .collect();
        let all = links.len();
        links.sort_unstable();
        links.dedup();
        assert_eq!(links.len(), all);
    }

    fn record(opcode: u16, user: Option<(UserType, String)>, key: Option<KeyHandle>) -> AuditRecord {
        let deed = Deed { opcode: Opcode(opcode), refusal: None, session: SessionId(1), user, key };
        AuditHead::default().next(deed, 0, 1)
    }
}
