//! `getAttribute`

use crate::cluster::Server;
use crate::cmu::arguments::{KEY_HANDLE, OUTPUT_FILE};
use crate::cmu::attribute::{ATTRIBUTE, Wanted, wanted};
use crate::cmu::report::Report;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::Permission;
use crate::common::OutputFile;
use crate::foreign::shown;
use crate::protocol::attribute::{Attribute, Attributes, ReadAttributes, Value};
use crate::protocol::key::KeyHandle;

pub(super) static COMMAND: Command = Command {
    name: "getAttribute",
    arguments: &[KEY_HANDLE, ATTRIBUTE, OUTPUT_FILE],
    summary: "Show an attribute of a key, or all of them",
    description: "\
Shows the value of an attribute of a key, as each server has it. The attribute is given by its number or its name,
as in listAttributes; 512 (OBJ_ATTR_ALL) shows all attributes that the key has. The key must be yours, shared with
you, or public. With an output file, the values are written there; its previous content is lost.",
    example: "getAttribute 262170 354",
    permission: Some(Permission::of::<ReadAttributes>()),
    build: |given| {
        let (handle, wanted) = (given.handle(&KEY_HANDLE)?, wanted(given)?);
        Ok(Box::new(GetAttribute { handle, wanted, file: given.maybe(&OUTPUT_FILE, OutputFile::parse)? }))
    },
};

struct GetAttribute {
    handle: KeyHandle,
    wanted: Wanted,
    file: Option<OutputFile>,
}

impl Action for GetAttribute {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let Self { handle, wanted, file } = *self;
        let report = Report { name: COMMAND.name, between: "\n", file };
        report
            .read(session, ReadAttributes { handle }, |server, attributes| show(server, wanted, &attributes))
    }
}

fn show(server: &Server, wanted: Wanted, attributes: &Attributes) -> Result<String, String> {
    let values = match wanted {
        Wanted::All => dump(attributes),
        Wanted::One(attribute) => match attributes.value(attribute) {
            Some(value) => format!("{}\n{}\n", attribute.name(), single(&value)),
            None => return Err(format!("the key has no {}", attribute.name())),
        },
    };
    Ok(format!("Attribute Value on {server}:\n{values}"))
}

/// All attributes that the key has, in the order of the original's dump.
fn dump(attributes: &Attributes) -> String {
    let present =
        Attribute::DUMPED.iter().filter_map(|attribute| Some((attribute, attributes.value(*attribute)?)));
    present.map(|(attribute, value)| format!("{}\n{}\n", attribute.name(), stored(&value))).collect()
}

/// The only value of the output: the original prints bytes as wide as numbers.
fn single(value: &Value) -> String {
    match value {
        Value::Byte(byte) => format!("{byte:#010x}"),
        Value::Number(_) | Value::Text(_) | Value::Bytes(_) => stored(value),
    }
}

/// One of all values: as wide as the HSM stores it.
fn stored(value: &Value) -> String {
    match value {
        Value::Byte(byte) => format!("{byte:#04x}"),
        Value::Number(number) => format!("{number:#010x}"),
        Value::Text(text) => shown(text).into_owned(),
        Value::Bytes(bytes) => in_lines(&format!("0x{}", hex(bytes))),
    }
}

/// Broken into lines of the length that the original uses for a modulus.
fn in_lines(digits: &str) -> String {
    let characters: Vec<char> = digits.chars().collect();
    let lines: Vec<String> = characters.chunks(80).map(|line| line.iter().collect()).collect();
    lines.join("\n")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{Attribute, Attributes, Value, dump, single, stored};
    use crate::protocol::key::{KeyClass, KeyType};

    /// From the guide's page on genRSAKeyPair.
    const GUIDE: &str = "\
OBJ_ATTR_CLASS\n0x02\nOBJ_ATTR_KEY_TYPE\n0x00\nOBJ_ATTR_TOKEN\n0x01\nOBJ_ATTR_PRIVATE\n0x01\n\
OBJ_ATTR_ENCRYPT\n0x01\nOBJ_ATTR_DECRYPT\n0x00\nOBJ_ATTR_WRAP\n0x01\nOBJ_ATTR_UNWRAP\n0x00\n\
OBJ_ATTR_SIGN\n0x00\nOBJ_ATTR_VERIFY\n0x01\nOBJ_ATTR_LOCAL\n0x01\nOBJ_ATTR_SENSITIVE\n0x00\n\
OBJ_ATTR_EXTRACTABLE\n0x01\nOBJ_ATTR_LABEL\nrsa_test\nOBJ_ATTR_ID\n\nOBJ_ATTR_VALUE_LEN\n0x00000200\n\
OBJ_ATTR_KCV\n0xc51c18\nOBJ_ATTR_MODULUS\n0xbb9301cc\nOBJ_ATTR_MODULUS_BITS\n0x00000800\n\
OBJ_ATTR_PUBLIC_EXPONENT\n0x010001\nOBJ_ATTR_TRUSTED\n0x00\nOBJ_ATTR_WRAP_WITH_TRUSTED\n0x00\n\
OBJ_ATTR_DESTROYABLE\n0x01\nOBJ_ATTR_DERIVE\n0x00\nOBJ_ATTR_ALWAYS_SENSITIVE\n0x00\n\
OBJ_ATTR_NEVER_EXTRACTABLE\n0x00\n";

    #[test]
    fn all_attributes_of_an_rsa_key_are_as_in_the_guide() {
        let key = Attributes {
            class: KeyClass::Public,
            key_type: KeyType::Rsa,
            token: true,
            label: "rsa_test".to_owned(),
            id: String::new(),
            trusted: false,
            sensitive: false,
            encrypt: true,
            decrypt: false,
            wrap: true,
            unwrap: false,
            sign: false,
            verify: true,
            derive: false,
            extractable: true,
            local: true,
            never_extractable: false,
            always_sensitive: false,
            destroyable: true,
            wrap_with_trusted: false,
            value_len: 512,
            kcv: Some([0xc5, 0x1c, 0x18]),
            modulus: Some(vec![0xbb, 0x93, 0x01, 0xcc]),
            modulus_bits: Some(2048),
            public_exponent: Some(vec![1, 0, 1]),
        };
        assert_eq!(dump(&key), GUIDE);
    }

    #[test]
    fn the_dump_has_every_attribute_that_a_key_can_have() {
        for attribute in Attribute::ALL {
            let is_template = matches!(attribute, Attribute::WrapTemplate | Attribute::UnwrapTemplate);
            assert_eq!(Attribute::DUMPED.contains(attribute), !is_template, "{}", attribute.name());
        }
    }

    #[test]
    fn values_are_as_wide_as_in_the_guide() {
        for (value, alone, among_all) in [
            (Value::Byte(1), "0x00000001", "0x01"),
            (Value::Byte(0x1f), "0x0000001f", "0x1f"),
            (Value::Number(32), "0x00000020", "0x00000020"),
            (Value::Bytes(vec![0x1a, 0x4b, 0x31]), "0x1a4b31", "0x1a4b31"),
            (Value::Bytes(vec![1, 0, 1]), "0x010001", "0x010001"),
            (Value::Text("aes256".to_owned()), "aes256", "aes256"),
        ] {
            assert_eq!((single(&value).as_str(), stored(&value).as_str()), (alone, among_all));
        }
    }

    #[test]
    fn a_modulus_is_broken_every_80_characters() {
        let lines = stored(&Value::Bytes(vec![0xbb; 256]));
        let widths: Vec<_> = lines.lines().map(str::len).collect();
        assert_eq!(widths, [80, 80, 80, 80, 80, 80, 34]);
        assert!(lines.starts_with("0xbbbb"));
    }
}
