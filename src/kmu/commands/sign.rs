//! `sign`

use std::fs::{self, File};
use std::io::{self, Read};

use aws_lc_rs::digest::{Algorithm, Context, SHA1_FOR_LEGACY_USE_ONLY, SHA224, SHA256, SHA384, SHA512};

use crate::command::{Argument, Kind, Permission};
use crate::files::{metadata_to_replace, without_number};
use crate::kmu::frame::{line, returned, status};
use crate::kmu::session::{first, states};
use crate::kmu::stop::{Printed, Stop, ended, ended_on};
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::key::{self, Hash, KeyHandle, SignMechanism, SignScheme};

pub(super) static COMMAND: Command = Command {
    name: "sign",
    arguments: &[MESSAGE, KEY, MECHANISM, SIGNATURE],
    summary: "Generates a signature",
    description: "\
Signs a file with one of your private keys or one shared with you. If others must approve the use of the key, this
uses up an approved token of service 5 (USE_KEY) on each HSM.",
    example: "sign -f messageFile -k 7 -m 1 -out signedFile",
    permission: Some(Permission::of::<key::Sign>()),
    build: |given| {
        Ok(Box::new(Sign {
            file: given.text(&MESSAGE)?,
            handle: given.handle(&KEY)?,
            mechanism: mechanism(given.number(&MECHANISM)?),
            out: given.text(&SIGNATURE)?,
        }))
    },
};

const MESSAGE: Argument =
    Argument::flag("-f", "message file", Kind::File, "Message File").help("file to be signed");
const KEY: Argument =
    Argument::flag("-k", "private key handle", Kind::Handle, "Private key handle").help("handle of the key");
const MECHANISM: Argument =
    Argument::flag("-m", "signature mechanism", Kind::Number, "Signature Mechanism").help(MECHANISMS);
const SIGNATURE: Argument = Argument::flag("-out", "signature file", Kind::File, "Signature file")
    .help("file to write the signature to");

const MECHANISMS: &str = "1, 2, 3: RSA PKCS #1 v1.5 with SHA-256, 384, 512; 6, 7, 8: RSA PSS with these; \
                          17, 18, 19: ECDSA with these, each with the curve of its length";

struct Sign {
    file: String,
    handle: KeyHandle,
    /// `None` if no supported mechanism has the number.
    mechanism: Option<SignMechanism>,
    out: String,
}

impl Action for Sign {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let unsupported = "Unsupported hash type/provided key not valid for signature mechanism";
        let mechanism = self.mechanism.ok_or_else(|| Stop::failed(line(unsupported)))?;
        let hash = hash(&self.file, mechanism.hash).map_err(|error| {
            let reason = without_number(&error);
            Stop::failed(line(&format!("Failed to read from the file \"{}\": {reason}", self.file)))
        })?;
        // Before approvals are used up for a signature that cannot be written.
        metadata_to_replace(&self.out).map_err(|reason| {
            Stop::failed(line(&format!("Failed to write to the file \"{}\": {reason}", self.out)))
        })?;
        let operation = key::Sign { handle: self.handle, mechanism, hash };
        let holders = session.holders(self.handle);
        let scope = if holders.is_empty() { session.everywhere() } else { holders };
        // A change, not a read: it uses up approvals, on every node or on none.
        let answers = match session.change(&scope, operation) {
            Ok(answers) => answers,
            Err(refused) => {
                let against = refused.against();
                return ended_on(CALL, Code::of_none(&against), &against);
            }
        };
        let states = states(&answers);
        let code = Code::of_all(&states);
        let Ok(key::Signature(signature)) = first(answers) else {
            return Err(Stop::Failed(returned(CALL, code) + &status(&states)));
        };
        let is_written = fs::write(&self.out, signature).is_ok();
        let about = match is_written {
            true => format!("\nsignature is written to file {}\n", self.out),
            false => format!("\nFailed to write the signature to file {}\n", self.out),
        };
        let text = returned(CALL, code) + &about + &status(&states);
        if is_written { ended(code, text) } else { Err(Stop::Failed(text)) }
    }
}

const CALL: &str = "Sign";

fn mechanism(number: u32) -> Option<SignMechanism> {
    let (scheme, hash) = match number {
        1..=3 => (SignScheme::RsaPkcs, number - 1),
        6..=8 => (SignScheme::RsaPss, number - 6),
        17..=19 => (SignScheme::Ecdsa, number - 17),
        _ => return None,
    };
    let hash = match hash {
        0 => Hash::Sha256,
        1 => Hash::Sha384,
        _ => Hash::Sha512,
    };
    Some(SignMechanism { scheme, hash })
}

/// The hash of a file, which is all that the HSM needs: so the file may be of any size.
fn hash(path: &str, hash: Hash) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut context = Context::new(algorithm(hash));
    let mut part = [0; 64 * 1024];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(context.finish().as_ref().to_vec()),
            length => context.update(part.get(..length).unwrap_or_default()),
        }
    }
}

fn algorithm(hash: Hash) -> &'static Algorithm {
    match hash {
        Hash::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha224 => &SHA224,
        Hash::Sha256 => &SHA256,
        Hash::Sha384 => &SHA384,
        Hash::Sha512 => &SHA512,
    }
}
