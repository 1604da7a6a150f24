//! `findKey`

use std::path::PathBuf;

use data_encoding::HEXLOWER_PERMISSIVE;

use crate::command::{Argument, Given, Kind, Permission, Usage};
use crate::kmu::frame::{line, returned, status};
use crate::kmu::session::{Answers, answered, states};
use crate::kmu::stop::{Printed, Stop, ended};
use crate::kmu::{Action, Build, Code, Command, Session};
use crate::protocol::key::{FindKeys, KeyClass, KeyHandle, KeyType, Lifetime};

pub(super) static COMMAND: Command = Command {
    name: "findKey",
    arguments: &[CLASS, TYPE, LABEL, ID, SESSION, USERS, MODULUS, KCV],
    summary: "Find Key",
    description: "\
Finds the keys that you can use: your own, keys shared with you, and public keys. All criteria must match.",
    example: "findKey -c 4 -sess 0",
    permission: Some(Permission::of::<FindKeys>()),
    build: |given| Ok(Box::new(FindKey::parse(given)?)),
};

const CLASS: Argument = Argument::option("-c", "key class", Kind::Number, "Key class")
    .help("2 = public, 3 = private, 4 = secret");
const TYPE: Argument = Argument::option("-t", "key type", Kind::Number, "Key type")
    .help("0 = RSA, 1 = DSA, 3 = EC, 16 = GENERIC_SECRET, 21 = DES3, 31 = AES");
const LABEL: Argument =
    Argument::option("-l", "key label", Kind::Text, "Key label").help("the complete label");
const ID: Argument = Argument::option("-id", "key ID", Kind::Text, "Key ID").help("the complete id");
const SESSION: Argument =
    Argument::option("-sess", "0 | 1", Kind::Number, "Session").help("1 = session keys, 0 = token keys");
const USERS: Argument = Argument::option("-u", "user-ids", Kind::UserIds, "User ids")
    .help("comma-separated ids: finds keys that all these users can use");
const MODULUS: Argument = Argument::option("-m", "modulus", Kind::File, "Modulus file")
    .help("file with the modulus of an RSA key in hex");
const KCV: Argument =
    Argument::option("-kcv", "key_check_value", Kind::Text, "Key check value").help("in hex");

struct FindKey {
    criteria: FindKeys,
    modulus: Option<PathBuf>,
}

impl FindKey {
    fn parse(given: &Given<'_>) -> Result<Self, Usage> {
        let criteria = FindKeys {
            class: one_of(given, &CLASS, KeyClass::number, &CLASSES)?,
            key_type: one_of(given, &TYPE, KeyType::number, &KeyType::ALL)?,
            label: given.maybe(&LABEL, Given::text)?,
            id: given.maybe(&ID, Given::text)?,
            lifetime: one_of(given, &SESSION, session_number, &[Lifetime::Token, Lifetime::Session])?,
            users: given.maybe(&USERS, Given::users)?.unwrap_or_default(),
            modulus: None,
            kcv: given.maybe(&KCV, kcv)?,
        };
        Ok(Self { criteria, modulus: given.maybe(&MODULUS, Given::text)?.map(PathBuf::from) })
    }
}

fn kcv(given: &Given<'_>, argument: &Argument) -> Result<Vec<u8>, Usage> {
    bytes_of_hex(given.word(argument)?).ok_or(Usage::Wrong("Invalid key check value."))
}

const CLASSES: [KeyClass; 3] = [KeyClass::Public, KeyClass::Private, KeyClass::Secret];

fn session_number(lifetime: Lifetime) -> u32 {
    match lifetime {
        Lifetime::Token => 0,
        Lifetime::Session => 1,
    }
}

/// What an option's number stands for; a number that stands for nothing gets the help.
fn one_of<T: Copy>(
    given: &Given<'_>,
    argument: &Argument,
    number: fn(T) -> u32,
    all: &[T],
) -> Result<Option<T>, Usage> {
    let Some(wanted) = given.maybe(argument, Given::number::<u32>)? else { return Ok(None) };
    let found = all.iter().copied().find(|one| number(*one) == wanted);
    found.map(Some).ok_or(Usage::NotUnderstood)
}

impl Action for FindKey {
    fn run(mut self: Box<Self>, session: &mut Session<'_>) -> Printed {
        if let Some(file) = &self.modulus {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            let wrong = || format!("\n\tError: {} does not contain a modulus in hex\n", file.display());
            let modulus = bytes_of_hex(text.trim()).ok_or_else(|| Stop::Failed(wrong()))?;
            self.criteria.modulus = Some(modulus);
        }
        let answers = session.perform(&session.everywhere(), self.criteria);
        let code = answered(&answers);
        let found =
            if code == Code::SUCCESS { list(session.build, &all_of(&answers)) } else { String::new() };
        ended(code, found + &status(&states(&answers)) + &returned("FindKey", code))
    }
}

/// The keys of all nodes together: a session key is on one node only, and so is a key that could not be copied.
fn all_of(answers: &Answers<Vec<KeyHandle>>) -> Vec<KeyHandle> {
    let mut all = Vec::new();
    for handles in answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()) {
        all.extend(handles);
    }
    all.sort();
    all.dedup();
    all
}

/// The handles that were found, in the words of a build.
fn list(build: Build, handles: &[KeyHandle]) -> String {
    let count = handles.len();
    let Some(last) = count.checked_sub(1) else { return total(build, count) };
    let found = match build {
        Build::A => {
            let lines = lines(handles, ",\n");
            format!("\n number of keys matched from start index 0::{last}\n{lines}\n")
        }
        Build::B => {
            let lines = lines(handles, ",\n\t");
            line(&format!("Number of matching keys from start index 0::{last}"))
                + &line(&format!("Handles of matching keys:\n\t{lines}"))
        }
    };
    total(build, count) + &found
}

fn total(build: Build, count: usize) -> String {
    match build {
        Build::A => format!("\nTotal number of keys present {count}\n"),
        Build::B => line(&format!("Total number of keys present: {count}")),
    }
}

/// Fifteen handles a line, as in the original.
fn lines(handles: &[KeyHandle], separator: &str) -> String {
    let lines = handles.chunks(15).map(|line| line.iter().map(ToString::to_string).collect::<Vec<_>>());
    lines.map(|line| line.join(", ")).collect::<Vec<_>>().join(separator)
}

/// Reads digits of either case, with or without `0x` before them.
fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok().filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{bytes_of_hex, list};
    use crate::kmu::Build;
    use crate::protocol::key::KeyHandle;

    #[test]
    fn fifteen_handles_are_in_a_line() {
        let handles: Vec<KeyHandle> = (6..22).map(KeyHandle).collect();
        let first = "6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,";
        let build_a = list(Build::A, &handles);
        assert!(build_a.ends_with(&format!(" 0::15\n{first}\n21\n")), "{build_a}");
        let build_b = list(Build::B, &handles);
        assert!(build_b.ends_with(&format!(" keys:\n\t{first}\n\t21\n")), "{build_b}");
    }

    #[test]
    fn hex_has_whole_bytes_in_either_case() {
        assert_eq!(bytes_of_hex("0xC33cBD"), Some(vec![0xc3, 0x3c, 0xbd]));
        assert_eq!(bytes_of_hex("001aff"), Some(vec![0, 0x1a, 0xff]));
        for wrong in ["", "0x", "abc", "xy", "+1", "\u{e4}"] {
            assert_eq!(bytes_of_hex(wrong), None, "{wrong}");
        }
    }
}
