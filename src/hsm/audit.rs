//! The audit log: one record for each management command, chained by hashes.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;

use super::{Event, SessionId, Verdict};
use crate::protocol::key::{KeyHandle, KeySpec};
use crate::protocol::masked::Inserted;
use crate::protocol::user::UserType;
use crate::protocol::{Refusal, Reply, Request};

/// One record, in the fields of the original's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Counts from 1 without a gap.
    pub sequence: u64,
    /// Microseconds since 1970.
    pub time: u64,
    /// How often the HSM had been started.
    pub reboots: u32,
    /// Which command.
    pub opcode: Opcode,
    /// Whose connection.
    pub session: SessionId,
    /// `None` is success.
    pub refusal: Option<Refusal>,
    /// The user that the command was about.
    pub user: Option<(UserType, String)>,
    /// The key that the command was about, or made.
    pub key: Option<KeyHandle>,
    /// The [`AuditRecord::link`] of the record before; zeros in the first.
    pub previous: [u8; 32],
}

/// A command's number in the audit log. Numbers from 0x1000 are this project's: the original's are unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opcode(pub u16);

const SHARE: Opcode = Opcode(0x12);

/// Where the log ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AuditHead {
    sequence: u64,
    link: [u8; 32],
}

impl AuditRecord {
    /// The hash that the next record holds: of everything in this one, the hash before included.
    #[must_use]
    pub fn link(&self) -> [u8; 32] {
        let hash = digest(&SHA256, self.fields().as_bytes());
        <[u8; 32]>::try_from(hash.as_ref()).unwrap_or_default()
    }

    pub(super) fn head(&self) -> AuditHead {
        AuditHead { sequence: self.sequence, link: self.link() }
    }

    /// All fields as text, no two records alike: the sequence number and the hash before are part of it.
    fn fields(&self) -> String {
        let previous: String = self.previous.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{self}{previous}")
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
            // The original's own words for what it shares.
            (None, Some(key)) if self.opcode == SHARE => {
                writeln!(f, "Log type : UNKNOWN_LOG_TYPE (5)")?;
                writeln!(f, "Key Handle : {key}")
            }
            (None, Some(key)) => {
                writeln!(f, "Log type : MGMT_KEY_DETAILS_LOG (1)")?;
                writeln!(f, "Key Handle : {key}")
            }
            (None, None) => writeln!(f, "Log type : MINIMAL_LOG_ENTRY (0)"),
            (Some((user_type, name)), _) => {
                writeln!(f, "Log type : MGMT_USER_DETAILS_LOG (2)")?;
                writeln!(f, "User Name : {}", name.escape_default())?;
                writeln!(f, "User Type : {}", user_type.audit_name())
            }
        }
    }
}

/// Where an audit log is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A record is not there.
    #[error("audit record {0:#x} is missing")]
    Missing(u64),
    /// This record, or the one before it, was altered.
    #[error("audit record {0:#x} does not follow from the one before it")]
    Unchained(u64),
}

/// Whether a log, from its first record on, has no gap and no altered record. Its end can be cut off unnoticed
/// only by whoever can also alter the HSM's state, which holds the last record's hash.
///
/// # Errors
///
/// The first break.
pub fn verify(log: &[AuditRecord]) -> Result<(), Broken> {
    let mut head = AuditHead::default();
    for record in log {
        let sequence = head.sequence.saturating_add(1);
        if record.sequence != sequence {
            return Err(Broken::Missing(sequence));
        }
        if record.previous != head.link {
            return Err(Broken::Unchained(sequence));
        }
        head = record.head();
    }
    Ok(())
}

impl Opcode {
    /// Only management commands are recorded.
    fn of(request: &Request) -> Option<Self> {
        match request {
            Request::CreateUser(op) if op.user_type == UserType::Co => Some(Self(0x04)),
            Request::CreateUser(_) => Some(Self(0x03)),
            Request::ChangePassword(_) => Some(Self(0x09)),
            Request::Login(_) => Some(Self(0x0d)),
            Request::Logout(_) => Some(Self(0x0e)),
            Request::DeleteUser(_) => Some(Self(0xa1)),
            Request::DeleteKey(_) => Some(Self(0x11)),
            Request::ShareKey(_) => Some(SHARE),
            Request::GenerateKey(op) => match op.spec {
                KeySpec::Rsa { .. } | KeySpec::Ec(_) => Some(Self(0x19)),
                KeySpec::Aes { .. } | KeySpec::GenericSecret { .. } | KeySpec::TripleDes => Some(Self(0x17)),
            },
            Request::SetAttribute(_) => Some(Self(0x1f)),
            Request::ExtractKey(_) | Request::ExtractUser(_) => Some(Self(0xf0)),
            Request::InsertKey(_) | Request::InsertUser(_) => Some(Self(0xf1)),
            Request::RegisterQuorumKey(_) => Some(Self(0x1001)),
            Request::SetMValue(_) => Some(Self(0x1002)),
            Request::GetToken(_) => Some(Self(0x1003)),
            Request::ApproveToken(_) => Some(Self(0x1004)),
            Request::DeleteTokens(_) => Some(Self(0x1005)),
            Request::ListUsers(_)
            | Request::DescribeHsm(_)
            | Request::ListMembers(_)
            | Request::FindKeys(_)
            | Request::DescribeKey(_)
            | Request::ReadAttributes(_)
            | Request::ListKeys(_)
            | Request::GetCertificate(_)
            | Request::GetMValue(_)
            | Request::ListTokens(_)
            | Request::GetDigest(_)
            | Request::Sign(_) => None,
        }
    }

    fn name(self) -> &'static str {
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
            0x1f => "CN_MODIFY_OBJECT",
            0xa1 => "CN_DELETE_USER",
            0xf0 => "CN_EXTRACT_MASKED_OBJECT_USER",
            0xf1 => "CN_INSERT_MASKED_OBJECT_USER",
            0x1001 => "CN_REGISTER_MOFN_PUB_KEY",
            0x1002 => "CN_SET_M_VALUE",
            0x1003 => "CN_GET_TOKEN",
            0x1004 => "CN_APPROVE_TOKEN",
            0x1005 => "CN_DELETE_TOKEN",
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
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The record of a command that is over, unless it only read.
    pub(super) fn record(
        &self,
        request: &Request,
        verdict: &Verdict,
        session: SessionId,
        reboots: u32,
        time: u64,
    ) -> Option<Event> {
        let opcode = Opcode::of(request)?;
        let refusal = match verdict {
            Verdict::Needs(_) => return None,
            Verdict::Refused(refusal) => Some(*refusal),
            Verdict::Reply(_) => None,
        };
        Some(Event::Recorded(AuditRecord {
            sequence: self.sequence.saturating_add(1),
            time,
            reboots,
            opcode,
            session,
            refusal,
            user: request.subject().map(|(user_type, name)| (user_type, shortened(name))),
            key: key_of(request, verdict),
            previous: self.link,
        }))
    }
}

/// The key that a request names, or that was made: of a pair, the public half.
fn key_of(request: &Request, verdict: &Verdict) -> Option<KeyHandle> {
    if let Some(handle) = request.key() {
        return Some(handle);
    }
    match verdict {
        Verdict::Reply(Reply::GenerateKey(handles)) => handles.first().copied(),
        Verdict::Reply(Reply::InsertKey(
            Inserted::Created(handle)
            | Inserted::Equal(handle)
            | Inserted::Differs(handle, _)
            | Inserted::Replaced(handle),
        )) => Some(*handle),
        _ => None,
    }
}

/// A name that no user can have may be of any length; the log keeps the beginning.
fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}

fn clock(micros: u64) -> String {
    let format = format_description!(
        "[month]/[day]/[year repr:last_two] [hour]:[minute]:[second].[subsecond digits:6]"
    );
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros).saturating_mul(1000))
        .ok()
        .and_then(|time| time.format(&format).ok())
        .unwrap_or_default()
}
