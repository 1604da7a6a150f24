//! `findKey`

use std::path::PathBuf;

use data_encoding::HEXLOWER_PERMISSIVE;

use crate::kmu::command::{Opt, Section, action};
use crate::kmu::flags::{Flags, Usage};
use crate::kmu::frame::{returned, status};
use crate::kmu::session::{Answers, answered, states};
use crate::kmu::stop::{Printed, Stop, ended};
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::Operation;
use crate::protocol::key::{FindKeys, KeyClass, KeyHandle, KeyType, Lifetime};

pub(super) static COMMAND: Command = Command {
    name: "findKey",
    section: Section::KeyManagement,
    summary: "Find Key",
    description: "Finds the keys that the user may use: own ones, shared ones, and public keys. All criteria have to match.",
    options: &[
        Opt::optional("-c", "<key class>", "Key class", "2 = public, 3 = private, 4 = secret"),
        Opt::optional(
            "-t",
            "<key type>",
            "Key type",
            "0 = RSA, 3 = EC, 16 = GENERIC_SECRET, 21 = DES3, 31 = AES",
        ),
        Opt::optional("-l", "<key label>", "Key label", "the whole label"),
        Opt::optional("-id", "<key ID>", "Key ID", "the whole id"),
        Opt::optional("-sess", "<0 | 1>", "Session", "1 = session keys, 0 = token keys"),
        Opt::optional(
            "-u",
            "<user-ids>",
            "User ids",
            "comma separated ids: keys that all of them may use, too",
        ),
        Opt::optional("-m", "<modulus>", "Modulus file", "file with the modulus of an RSA key in hex"),
        Opt::optional("-kcv", "<key_check_value>", "Key check value", "in hex"),
    ],
    shared: &[],
    example: "findKey -c 4 -sess 0",
    access: Some(FindKeys::ACCESS),
    parse: |flags| action(FindKey::parse(flags)?),
};

struct FindKey {
    criteria: FindKeys,
    modulus: Option<PathBuf>,
}

impl FindKey {
    fn parse(flags: &Flags<'_>) -> Result<Self, Usage> {
        let criteria = FindKeys {
            class: one_of(flags, "-c", KeyClass::number, &CLASSES)?,
            key_type: one_of(flags, "-t", KeyType::number, &TYPES)?,
            label: flags.maybe("-l").map(str::to_owned),
            id: flags.maybe("-id").map(str::to_owned),
            lifetime: one_of(flags, "-sess", session_number, &[Lifetime::Token, Lifetime::Session])?,
            users: flags.users("-u")?,
            modulus: None,
            kcv: match flags.maybe("-kcv") {
                Some(text) => Some(bytes_of_hex(text).ok_or(Usage::Wrong("Invalid key check value."))?),
                None => None,
            },
        };
        Ok(Self { criteria, modulus: flags.maybe("-m").map(PathBuf::from) })
    }
}

const CLASSES: [KeyClass; 3] = [KeyClass::Public, KeyClass::Private, KeyClass::Secret];

const TYPES: [KeyType; 5] =
    [KeyType::Rsa, KeyType::Ec, KeyType::GenericSecret, KeyType::TripleDes, KeyType::Aes];

fn session_number(lifetime: Lifetime) -> u32 {
    match lifetime {
        Lifetime::Token => 0,
        Lifetime::Session => 1,
    }
}

/// What an option's number stands for; a number that stands for nothing gets the help.
fn one_of<T: Copy>(
    flags: &Flags<'_>,
    flag: &str,
    number: fn(T) -> u32,
    all: &[T],
) -> Result<Option<T>, Usage> {
    let Some(wanted) = flags.maybe_number(flag)? else { return Ok(None) };
    let found = all.iter().copied().find(|one| number(*one) == wanted);
    found.map(Some).ok_or(Usage::NotUnderstood)
}

impl Action for FindKey {
    fn run(mut self: Box<Self>, session: &mut Session<'_>) -> Printed {
        if let Some(file) = &self.modulus {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            let wrong = || format!("\n\tError: {} holds no modulus in hex\n", file.display());
            let modulus = bytes_of_hex(text.trim()).ok_or_else(|| Stop::Failed(wrong()))?;
            self.criteria.modulus = Some(modulus);
        }
        let answers = session.perform(&session.everywhere(), self.criteria);
        let code = answered(&answers);
        let found = if code == Code::SUCCESS { list(&all_of(&answers)) } else { String::new() };
        ended(code, found + &status(&states(&answers)) + &returned("FindKey", code))
    }
}

/// What any node has: a session key is on one, and so is a key that could not be copied.
fn all_of(answers: &Answers<Vec<KeyHandle>>) -> Vec<KeyHandle> {
    let mut all = Vec::new();
    for handles in answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()) {
        all.extend(handles);
    }
    all.sort();
    all.dedup();
    all
}

/// Fifteen handles a line.
fn list(handles: &[KeyHandle]) -> String {
    let mut text = format!("\nTotal number of keys present {}\n", handles.len());
    if let Some(last) = handles.len().checked_sub(1) {
        let lines = handles.chunks(15).map(|line| line.iter().map(ToString::to_string).collect::<Vec<_>>());
        let lines = lines.map(|line| line.join(", ")).collect::<Vec<_>>();
        let lines = lines.join(",\n");
        text.push_str(&format!("\n number of keys matched from start index 0::{last}\n{lines}\n"));
    }
    text
}

/// Reads digits of either case, with or without `0x` before them.
fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok().filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::bytes_of_hex;

    #[test]
    fn hex_has_whole_bytes_in_either_case() {
        assert_eq!(bytes_of_hex("0xC33cBD"), Some(vec![0xc3, 0x3c, 0xbd]));
        assert_eq!(bytes_of_hex("001aff"), Some(vec![0, 0x1a, 0xff]));
        for wrong in ["", "0x", "abc", "xy", "+1", "\u{e4}"] {
            assert_eq!(bytes_of_hex(wrong), None, "{wrong}");
        }
    }
}
