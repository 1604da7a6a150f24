//! `genSymKey`

use crate::command::{Argument, Kind, Permission, Usage};
use crate::kmu::attest::ATTEST;
use crate::kmu::create::Report;
use crate::kmu::frame::line;
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::template::{
    ID, LABEL, M_VALUE, MINIMUM, NEX, SESSION, TIMEOUT, Template, USERS, not_allowed,
};
use crate::kmu::{Action, Command, Session};
use crate::protocol::Refusal;
use crate::protocol::key::{GenerateKey, KeyHandle, KeySpec};

pub(super) static COMMAND: Command = Command {
    name: "genSymKey",
    arguments: &[TYPE, SIZE, LABEL, ID, MINIMUM, M_VALUE, NEX, SESSION, TIMEOUT, USERS, ATTEST],
    summary: "Generates a Symmetric keys",
    description: "Generates a symmetric key on one HSM and copies it to the others under the same handle.",
    example: "genSymKey -t 31 -s 32 -l aes256",
    permission: Some(Permission::of::<GenerateKey>()),
    build: |given| {
        let kind = Wanted::parse(given.number(&TYPE)?, given.number(&SIZE)?)?;
        Ok(Box::new(GenSymKey { kind, template: Template::parse(given)? }))
    },
};

const TYPE: Argument = Argument::flag("-t", "key-type", Kind::Number, "Key type")
    .help("16 = GENERIC_SECRET, 18 = RC4, 21 = DES3, 31 = AES");
const SIZE: Argument = Argument::flag("-s", "key-size", Kind::Number, "Key size")
    .help("in bytes: AES 16, 24, 32; DES3 24; generic 1 to 3584");

struct GenSymKey {
    kind: Wanted,
    template: Template,
}

enum Wanted {
    Made(KeySpec),
    /// A type with a single size, which is not the size asked for.
    WrongSize,
    Rc4,
}

impl Wanted {
    fn parse(key_type: u32, bytes: u32) -> Result<Self, Usage> {
        Ok(match (key_type, bytes) {
            (16, bytes) => Self::Made(KeySpec::GenericSecret { bytes }),
            (18, _) => Self::Rc4,
            (21, 24) => Self::Made(KeySpec::TripleDes),
            (21, _) => Self::WrongSize,
            (31, bytes) => Self::Made(KeySpec::Aes { bytes }),
            _ => return Err(Usage::Wrong("Invalid key type specified.")),
        })
    }
}

const CALL: &str = "GenerateSymmetricKey";

impl Action for GenSymKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        match self.kind {
            Wanted::Made(spec) => self.template.make(session, spec, Report { call: CALL, details: made }),
            Wanted::WrongSize => not_allowed(CALL, Refusal::PolicyViolation.into()),
            Wanted::Rc4 => {
                Err(Stop::failed("\n RC4 is not allowed in FIPS mode\n\n Current FIPS mode: 00000002\n"))
            }
        }
    }
}

fn made(handles: &[KeyHandle]) -> String {
    let line = |handle| line(&format!("Symmetric Key Created.  Key Handle: {handle}"));
    handles.iter().map(line).collect()
}
