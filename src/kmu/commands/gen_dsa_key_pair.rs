//! `genDSAKeyPair`

use crate::command::{Argument, Kind, Permission};
use crate::kmu::attest::ATTEST;
use crate::kmu::create::Report;
use crate::kmu::stop::Printed;
use crate::kmu::template::{ID, LABEL, M_VALUE, MINIMUM, NEX, SESSION, TIMEOUT, Template, USERS, pair_made};
use crate::kmu::{Action, Command, Session};
use crate::protocol::key::{GenerateKey, KeySpec};

pub(super) static COMMAND: Command = Command {
    name: "genDSAKeyPair",
    arguments: &[MODULUS, LABEL, ID, MINIMUM, M_VALUE, NEX, SESSION, TIMEOUT, USERS, ATTEST],
    summary: "Generates a DSA Key Pair",
    description: "Generates a DSA pair on one HSM and copies it to the others under the same handles.",
    example: "genDSAKeyPair -m 2048 -l DSA",
    permission: Some(Permission::of::<GenerateKey>()),
    build: |given| {
        Ok(Box::new(GenDsaKeyPair { bits: given.number(&MODULUS)?, template: Template::parse(given)? }))
    },
};

const MODULUS: Argument =
    Argument::flag("-m", "modulus length", Kind::Number, "Modulus size").help("in bits: 2048");

struct GenDsaKeyPair {
    bits: u32,
    template: Template,
}

impl Action for GenDsaKeyPair {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        // The colon stands in each of the original's samples.
        let report = Report { call: "GenerateKeyPair:", details: pair_made };
        self.template.make(session, KeySpec::Dsa { bits: self.bits }, report)
    }
}
