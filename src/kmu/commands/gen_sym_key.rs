//! `genSymKey`

use crate::kmu::command::{Opt, Section, action};
use crate::kmu::flags::Usage;
use crate::kmu::frame::line;
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::template::{self, Template, not_allowed};
use crate::kmu::{Action, Command, Session};
use crate::protocol::key::{GenerateKey, KeyHandle, KeySpec};
use crate::protocol::{Operation, Refusal};

pub(super) static COMMAND: Command = Command {
    name: "genSymKey",
    section: Section::SymmetricKeys,
    summary: "Generates a Symmetric keys",
    description: "Generates a symmetric key on one HSM, and copies it to the others under the same handle.",
    options: &[
        Opt::required("-t", "<key-type>", "Key type", "16 = GENERIC_SECRET, 18 = RC4, 21 = DES3, 31 = AES"),
        Opt::required("-s", "<key-size>", "Key size", "in bytes: AES 16, 24, 32; DES3 24; generic 1 to 3584"),
    ],
    shared: template::OPTIONS,
    example: "genSymKey -t 31 -s 32 -l aes256",
    access: Some(GenerateKey::ACCESS),
    parse: |flags| {
        let kind = Kind::parse(flags.number("-t")?, flags.number("-s")?)?;
        action(GenSymKey { kind, template: Template::parse(flags)? })
    },
};

struct GenSymKey {
    kind: Kind,
    template: Template,
}

enum Kind {
    Made(KeySpec),
    /// Its only size is not the one asked for.
    WrongSize,
    Rc4,
}

impl Kind {
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
            Kind::Made(spec) => self.template.make(session, CALL, spec, made),
            Kind::WrongSize => not_allowed(CALL, Refusal::PolicyViolation.into()),
            Kind::Rc4 => {
                Err(Stop::failed("\n RC4 is not allowed in FIPS mode\n\n Current FIPS mode: 00000002\n"))
            }
        }
    }
}

fn made(handles: &[KeyHandle]) -> String {
    let line = |handle| line(&format!("Symmetric Key Created.  Key Handle: {handle}"));
    handles.iter().map(line).collect()
}
