//! `genECCKeyPair`

use crate::command::{Argument, Kind, Permission};
use crate::kmu::attest::ATTEST;
use crate::kmu::create::{Report, candidates};
use crate::kmu::curves::CURVES;
use crate::kmu::frame::{returned, status};
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::template::{ID, LABEL, M_VALUE, MINIMUM, NEX, SESSION, TIMEOUT, Template, USERS, pair_made};
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::Refusal;
use crate::protocol::key::{GenerateKey, KeySpec};

pub(super) static COMMAND: Command = Command {
    name: "genECCKeyPair",
    arguments: &[CURVE, LABEL, ID, MINIMUM, M_VALUE, NEX, SESSION, TIMEOUT, USERS, ATTEST],
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

impl Action for GenEccKeyPair {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        match CURVES.iter().find(|(number, ..)| *number == self.number) {
            Some((_, _, Some(curve))) => {
                self.template.make(session, KeySpec::Ec(*curve), Report { call: CALL, details: pair_made })
            }
            Some((_, _, None)) => Err(not_allowed(session)),
            None => Err(Stop::Failed(format!("\n\tError: Invalid EC Curve ID.\n{}", curves()))),
        }
    }
}

/// The refusal of a curve, with the status block that the original shows: the node that would have made the pair, as
/// unavailable. "This does not typically indicate a problem with the HSMs", its guide says.
fn not_allowed(session: &Session<'_>) -> Stop {
    let maker = candidates(session).first().map(|node| (*node, Code::UNAVAILABLE));
    Stop::Failed(returned(CALL, Refusal::PolicyViolation.into()) + &status(maker.as_slice()))
}

fn curves() -> String {
    CURVES.iter().map(|(number, name, _)| format!("      {name:<25}- {number}\n")).collect()
}
