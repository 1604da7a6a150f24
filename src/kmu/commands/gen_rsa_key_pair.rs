//! `genRSAKeyPair`

use std::ops::RangeInclusive;

use crate::command::{Argument, Kind, Permission};
use crate::kmu::attest::ATTEST;
use crate::kmu::create::Report;
use crate::kmu::frame::line;
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::template::{ID, LABEL, M_VALUE, MINIMUM, NEX, SESSION, TIMEOUT, Template, USERS, pair_made};
use crate::kmu::{Action, Command, Session, page};
use crate::protocol::key::{GenerateKey, KeySpec};

pub(super) static COMMAND: Command = Command {
    name: "genRSAKeyPair",
    arguments: &[MODULUS, EXPONENT, LABEL, ID, MINIMUM, M_VALUE, NEX, SESSION, TIMEOUT, USERS, ATTEST],
    summary: "Generates an RSA Key Pair",
    description: "Generates an RSA pair on one HSM and copies it to the others under the same handles.",
    example: "genRSAKeyPair -m 2048 -e 65537 -l rsa2048",
    permission: Some(Permission::of::<GenerateKey>()),
    build: |given| {
        let (bits, exponent) = (given.number(&MODULUS)?, given.text(&EXPONENT)?);
        Ok(Box::new(GenRsaKeyPair { bits, exponent, template: Template::parse(given)? }))
    },
};

const MODULUS: Argument = Argument::flag("-m", "modulus length", Kind::Number, "Modulus size")
    .help("in bits: 2048 to 4096 in steps of 256");
const EXPONENT: Argument = Argument::flag("-e", "public exponent", Kind::Text, "Public exponent")
    .help("an odd number from 65537 to 2147483647");

struct GenRsaKeyPair {
    bits: u32,
    exponent: String,
    template: Template,
}

/// In steps of 256.
const BITS: RangeInclusive<u32> = 2048..=4096;

/// The exponent that everybody uses.
const USUAL_EXPONENT: u32 = 65537;

impl Action for GenRsaKeyPair {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let bits = self.bits;
        if !BITS.contains(&bits) || !bits.is_multiple_of(256) {
            return Err(Stop::Failed(line("Incorrect Modulus Length for FIPS mode") + &page(&COMMAND)));
        }
        let exponent = exponent(&self.exponent).map_err(|error| Stop::Failed(line(&error)))?;
        let spec = match (bits, exponent) {
            (2048 | 3072 | 4096, USUAL_EXPONENT) => KeySpec::Rsa { bits },
            _ => KeySpec::RsaWithExponent { bits, exponent },
        };
        self.template.make(session, spec, Report { call: "GenerateKeyPair", details: pair_made })
    }
}

/// Reads the exponent, or says in the original's words what is wrong.
fn exponent(word: &str) -> Result<u32, String> {
    if let Some(other) = word.chars().find(|char| !char.is_ascii_digit()) {
        return Err(format!("Error: char {other} is not a digit "));
    }
    let length = word.len();
    if length > 10 {
        return Err(format!("Error: input length {length} is more than 10 digits and input is {word}"));
    }
    let number = word.parse::<u32>().ok().filter(|number| i32::try_from(*number).is_ok());
    number.ok_or_else(|| format!("Error: exponent value {word} is more than 2147483647"))
}
