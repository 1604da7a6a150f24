//! `genECCKeyPair`

use crate::command::{Argument, Kind, Permission};
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::template::{
    ID, LABEL, M_VALUE, MINIMUM, NEX, SESSION, TIMEOUT, Template, USERS, not_allowed, pair_made,
};
use crate::kmu::{Action, Command, Session};
use crate::protocol::Refusal;
use crate::protocol::key::{Curve, GenerateKey, KeySpec};

pub(super) static COMMAND: Command = Command {
    name: "genECCKeyPair",
    arguments: &[CURVE, LABEL, ID, MINIMUM, M_VALUE, NEX, SESSION, TIMEOUT, USERS],
    summary: "Generates an ECC Key Pair",
    description: "Generates an EC pair on one HSM and copies it to the others under the same handles.",
    example: "genECCKeyPair -i 14 -l ecc14",
    permission: Some(Permission::of::<GenerateKey>()),
    build: |given| {
        let number = given.number(&CURVE)?;
        Ok(Box::new(GenEccKeyPair { number, template: Template::parse(given)? }))
    },
};

const CURVE: Argument = Argument::flag("-i", "EC curve id", Kind::Number, "Curve id")
    .help("2 = prime256v1, 14 = secp384r1, 15 = secp521r1, 16 = secp256k1");

struct GenEccKeyPair {
    number: u32,
    template: Template,
}

const CALL: &str = "GenerateKeyPair";

/// Every curve that has a number in the original. HSMs make keys only on those that have a value here.
const CURVES: &[(u32, &str, Option<Curve>)] = &[
    (1, "NID_X9_62_prime192v1", None),
    (2, "NID_X9_62_prime256v1", Some(Curve::P256)),
    (3, "NID_sect163k1", None),
    (4, "NID_sect163r2", None),
    (5, "NID_sect233k1", None),
    (6, "NID_sect233r1", None),
    (7, "NID_sect283k1", None),
    (8, "NID_sect283r1", None),
    (9, "NID_sect409k1", None),
    (10, "NID_sect409r1", None),
    (11, "NID_sect571k1", None),
    (12, "NID_sect571r1", None),
    (13, "NID_secp224r1", None),
    (14, "NID_secp384r1", Some(Curve::P384)),
    (15, "NID_secp521r1", Some(Curve::P521)),
    (16, "NID_secp256k1", Some(Curve::Secp256k1)),
];

impl Action for GenEccKeyPair {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        match CURVES.iter().find(|(number, ..)| *number == self.number) {
            Some((_, _, Some(curve))) => self.template.make(session, CALL, KeySpec::Ec(*curve), pair_made),
            Some((_, _, None)) => not_allowed(CALL, Refusal::PolicyViolation.into()),
            None => Err(Stop::Failed(format!("\n\tError: Invalid EC Curve ID.\n{}", curves()))),
        }
    }
}

fn curves() -> String {
    CURVES.iter().map(|(number, name, _)| format!("      {name:<25}- {number}\n")).collect()
}
