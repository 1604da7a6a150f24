//! `verify`

use crate::command::{Argument, Kind, Permission};
use crate::files::read;
use crate::kmu::frame::{line, returned};
use crate::kmu::session::first;
use crate::kmu::signing::{MECHANISM, fitting, hash, mechanism};
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::transport::not_read;
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::Refusal;
use crate::protocol::key::{KeyHandle, SignMechanism, Verify as Operation};

pub(super) static COMMAND: Command = Command {
    name: "verify",
    arguments: &[MESSAGE, SIGNATURE, KEY, MECHANISM],
    summary: "Verifies a signature",
    description: "Verifies a signature of a file with a public key, whoever owns it.",
    example: "verify -f messageFile -s signedFile -k 6 -m 1",
    permission: Some(Permission::of::<Operation>()),
    build: |given| {
        Ok(Box::new(Verify {
            file: given.text(&MESSAGE)?,
            signature: given.text(&SIGNATURE)?,
            handle: given.handle(&KEY)?,
            mechanism: mechanism(given)?,
        }))
    },
};

const MESSAGE: Argument =
    Argument::flag("-f", "message-file", Kind::File, "Message file").help("file that was signed");
const SIGNATURE: Argument =
    Argument::flag("-s", "signature-file", Kind::File, "Signature file").help("file with the signature");
const KEY: Argument =
    Argument::flag("-k", "public-key-handle", Kind::Handle, "Private Key").help("handle of the public key");

struct Verify {
    file: String,
    signature: String,
    handle: KeyHandle,
    /// `None` if no mechanism has the number.
    mechanism: Option<SignMechanism>,
}

const CALL: &str = "Verify";

/// More than any signature has, in bytes.
const MAX_SIGNATURE: u64 = 4096;

impl Action for Verify {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let mechanism = fitting(session, self.mechanism, self.handle)?;
        let hash = hash(&self.file, mechanism.hash)?;
        let signature =
            read(&self.signature, MAX_SIGNATURE).map_err(|reason| not_read(&self.signature, &reason))?;
        // Any node's answer will do: they all hold the same key.
        let verify = Operation { handle: self.handle, mechanism, hash, signature };
        match first(session.perform(&session.everywhere(), verify)) {
            Ok(()) => Ok(format!("\nSignature verification successful\n{}", returned(CALL, Code::SUCCESS))),
            // The original has the text on a line of its own here.
            Err(code) if code == Refusal::BadSignature.into() => {
                let number = format!("Cfm3{CALL} returned: 0x{:02x}", code.0);
                Err(Stop::failed(line(&number) + &line(code.meaning())))
            }
            Err(code) => Err(Stop::failed(returned(CALL, code))),
        }
    }
}
