//! `genRSAKeyPair`

use crate::command::{Argument, Kind, Permission};
use crate::kmu::attest::ATTEST;
use crate::kmu::create::Report;
use crate::kmu::stop::Printed;
use crate::kmu::template::{
    ID, LABEL, M_VALUE, MINIMUM, NEX, SESSION, TIMEOUT, Template, USERS, not_allowed, pair_made,
};
use crate::kmu::{Action, Command, Session};
use crate::protocol::Refusal;
use crate::protocol::key::{GenerateKey, KeySpec};

pub(super) static COMMAND: Command = Command {
    name: "genRSAKeyPair",
    arguments: &[MODULUS, EXPONENT, LABEL, ID, MINIMUM, M_VALUE, NEX, SESSION, TIMEOUT, USERS, ATTEST],
    summary: "Generates an RSA Key Pair",
    description: "Generates an RSA pair on one HSM and copies it to the others under the same handles.",
    example: "genRSAKeyPair -m 2048 -e 65537 -l rsa2048",
    permission: Some(Permission::of::<GenerateKey>()),
    build: |given| {
        let (bits, exponent) = (given.number(&MODULUS)?, given.number(&EXPONENT)?);
        Ok(Box::new(GenRsaKeyPair { bits, exponent, template: Template::parse(given)? }))
    },
};

const MODULUS: Argument =
    Argument::flag("-m", "modulus length", Kind::Number, "Modulus size").help("in bits: 2048, 3072, 4096");
const EXPONENT: Argument =
    Argument::flag("-e", "public exponent", Kind::Number, "Public exponent").help("65537");

struct GenRsaKeyPair {
    bits: u32,
    exponent: u32,
    template: Template,
}

/// The only public exponent that an HSM makes keys with.
const FIXED_EXPONENT: u32 = 65537;

const CALL: &str = "GenerateKeyPair";

impl Action for GenRsaKeyPair {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        if self.exponent != FIXED_EXPONENT {
            return not_allowed(CALL, Refusal::PolicyViolation.into());
        }
        self.template.make(
            session,
            KeySpec::Rsa { bits: self.bits },
            Report { call: CALL, details: pair_made },
        )
    }
}
