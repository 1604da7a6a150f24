//! `genRSAKeyPair`

use crate::kmu::command::{Opt, Section, action};
use crate::kmu::stop::Printed;
use crate::kmu::template::{self, Template, not_allowed, pair_made};
use crate::kmu::{Action, Command, Session};
use crate::protocol::key::{GenerateKey, KeySpec};
use crate::protocol::{Operation, Refusal};

pub(super) static COMMAND: Command = Command {
    name: "genRSAKeyPair",
    section: Section::AsymmetricKeys,
    summary: "Generates an RSA Key Pair",
    description: "Generates an RSA pair on one HSM, and copies it to the others under the same handles.",
    options: &[
        Opt::required("-m", "<modulus length>", "Modulus size", "in bits: 2048, 3072, 4096"),
        Opt::required("-e", "<public exponent>", "Public exponent", "65537"),
    ],
    shared: template::OPTIONS,
    example: "genRSAKeyPair -m 2048 -e 65537 -l rsa2048",
    access: Some(GenerateKey::ACCESS),
    parse: |flags| {
        let (bits, exponent) = (flags.number("-m")?, flags.number("-e")?);
        action(GenRsaKeyPair { bits, exponent, template: Template::parse(flags)? })
    },
};

struct GenRsaKeyPair {
    bits: u32,
    exponent: u32,
    template: Template,
}

/// The one public exponent that an HSM makes keys with.
const EXPONENT: u32 = 65537;

const CALL: &str = "GenerateKeyPair";

impl Action for GenRsaKeyPair {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        if self.exponent != EXPONENT {
            return not_allowed(CALL, Refusal::PolicyViolation.into());
        }
        self.template.make(session, CALL, KeySpec::Rsa { bits: self.bits }, pair_made)
    }
}
