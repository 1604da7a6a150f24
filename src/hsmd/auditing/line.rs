//! An audit record as a line of JSON.

use std::collections::BTreeSet;
use std::net::IpAddr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::hsm::audit::{AuditRecord, Opcode};
use crate::hsm::{SessionId, Tally};
use crate::protocol::Refusal;
use crate::protocol::key::KeyHandle;
use crate::protocol::user::UserType;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    sequence: u64,
    time: String,
    usecs: u64,
    reboots: u32,
    opcode: u16,
    command: String,
    session: u32,
    /// 0 is success.
    response: u32,
    result: String,
    user_type: Option<String>,
    user: Option<String>,
    key: Option<u32>,
    /// Only of what strangers did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    strangers: Option<Strangers>,
    previous: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strangers {
    count: u64,
    from: BTreeSet<IpAddr>,
    /// Whether there were more addresses.
    others: bool,
}

/// Writes a record. The line is ASCII, whatever a client called a user.
#[must_use]
pub fn write(record: &AuditRecord) -> String {
    let user = record.user.as_ref();
    let line = Line {
        sequence: record.sequence,
        time: record.clock(),
        usecs: record.time,
        reboots: record.reboots,
        opcode: record.opcode.0,
        command: record.opcode.name().to_owned(),
        session: record.session.0,
        response: record.refusal.map_or(0, Refusal::code),
        result: record.refusal.map_or(SUCCESS, Refusal::logged).to_owned(),
        user_type: user.map(|(user_type, _)| user_type.to_string()),
        user: user.map(|(_, name)| name.clone()),
        key: record.key.map(|key| key.0),
        strangers: record.tally.clone().map(|Tally { count, addresses, others }| Strangers {
            count,
            from: addresses,
            others,
        }),
        previous: HEXLOWER.encode(&record.previous),
    };
    ascii(&line)
}

const SUCCESS: &str = "HSM Return: SUCCESS";

/// Reads what [`write()`] wrote; `None` if it is anything else, and be it only in what the record does not need.
#[must_use]
pub fn read(text: &str) -> Option<AuditRecord> {
    let line: Line = serde_json::from_str(text).ok()?;
    let refusal = match line.response {
        0 => None,
        code => Some(*Refusal::ALL.iter().find(|refusal| refusal.code() == code)?),
    };
    let user = line.user_type.zip(line.user).map(|(user_type, name)| (UserType::parse(&user_type), name));
    let tally =
        line.strangers.map(|Strangers { count, from, others }| Tally { count, addresses: from, others });
    let record = AuditRecord {
        sequence: line.sequence,
        time: line.usecs,
        reboots: line.reboots,
        opcode: Opcode(line.opcode),
        session: SessionId(line.session),
        refusal,
        user,
        key: line.key.map(KeyHandle),
        previous: link(&line.previous)?,
        tally,
    };
    (write(&record) == text).then_some(record)
}

/// As JSON that a terminal does not interpret.
pub(super) fn ascii(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    let escaped = |symbol: char| match symbol {
        ' '..='~' => symbol.to_string(),
        _ => symbol.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    };
    text.chars().map(escaped).collect()
}

/// Reads the hash of a record.
pub(super) fn link(text: &str) -> Option<[u8; 32]> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{AuditRecord, KeyHandle, Opcode, Refusal, SessionId, Tally, UserType, read, write};

    fn record() -> AuditRecord {
        AuditRecord {
            sequence: 18,
            time: 1_700_000_000_000_000,
            reboots: 2,
            opcode: Opcode(0x0d),
            session: SessionId(0),
            refusal: Some(Refusal::NoSuchUser),
            user: Some((UserType::Co, "bi\u{202e}ll\u{9b}\n\"😀".to_owned())),
            key: Some(KeyHandle(6)),
            previous: [7; 32],
            tally: Some(Tally { count: 3, addresses: [IpAddr::from([192, 0, 2, 1])].into(), others: true }),
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written_and_only_so() {
        let line = write(&record());
        assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line}");
        assert_eq!(read(&line), Some(record()));
        let plain = AuditRecord { refusal: None, user: None, key: None, tally: None, ..record() };
        assert_eq!(read(&write(&plain)), Some(plain));
        for (from, to) in
            [("CN_LOGIN", "CN_LOGOUT"), ("11/14/23", "11/15/23"), (":18,", ": 18,"), ("07", "7")]
        {
            assert_eq!(read(&line.replacen(from, to, 1)), None, "{from}");
        }
    }
}
