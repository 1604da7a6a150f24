//! `listAttributes`

use crate::kmu::stop::Printed;
use crate::kmu::{Action, Command, Session};
use crate::protocol::attribute::Attribute;

pub(super) static COMMAND: Command = Command {
    name: "listAttributes",
    arguments: &[],
    summary: "List all attributes for getAttributes",
    description: "Shows the numbers of the attributes, for getAttribute. No HSM is contacted.",
    example: "listAttributes",
    permission: None,
    build: |_| Ok(Box::new(ListAttributes)),
};

struct ListAttributes;

impl Action for ListAttributes {
    fn run(self: Box<Self>, _session: &mut Session<'_>) -> Printed {
        let lines =
            LISTED.map(|attribute| format!("      {:<32}= {}\n", attribute.name(), attribute.number()));
        let header = "\nFollowing are the possible attribute values for getAttributes:\n\n";
        Ok(format!("{header}{}", lines.concat()))
    }
}

/// The attributes that the original lists, in its order.
const LISTED: [Attribute; 18] = [
    Attribute::Class,
    Attribute::Token,
    Attribute::Private,
    Attribute::Label,
    Attribute::KeyType,
    Attribute::Encrypt,
    Attribute::Decrypt,
    Attribute::Wrap,
    Attribute::Unwrap,
    Attribute::Sign,
    Attribute::Verify,
    Attribute::Local,
    Attribute::Modulus,
    Attribute::ModulusBits,
    Attribute::PublicExponent,
    Attribute::ValueLen,
    Attribute::Extractable,
    Attribute::Kcv,
];
