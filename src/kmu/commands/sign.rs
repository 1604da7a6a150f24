//! `sign`

use crate::command::{Argument, Kind, Permission};
use crate::files::{Readers, write};
use crate::kmu::frame::{returned, status};
use crate::kmu::session::{first, states};
use crate::kmu::signing::{MECHANISM, fitting, hash, mechanism};
use crate::kmu::stop::{Printed, Stop, ended, ended_on};
use crate::kmu::transport::must_be_writable;
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::key::{self, KeyHandle, SignMechanism};

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
            mechanism: mechanism(given)?,
            out: given.text(&SIGNATURE)?,
        }))
    },
};

const MESSAGE: Argument =
    Argument::flag("-f", "message file", Kind::File, "Message file").help("file to be signed");
const KEY: Argument =
    Argument::flag("-k", "private key handle", Kind::Handle, "Private Key").help("handle of the key");
const SIGNATURE: Argument = Argument::flag("-out", "signature file", Kind::File, "Signature File")
    .help("file to write the signature to");

struct Sign {
    file: String,
    handle: KeyHandle,
    /// `None` if no supported mechanism has the number.
    mechanism: Option<SignMechanism>,
    out: String,
}

impl Action for Sign {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let mechanism = fitting(session, self.mechanism, self.handle)?;
        let hash = hash(&self.file, mechanism.hash)?;
        // Before approvals are used up for a signature that cannot be written.
        must_be_writable(&self.out)?;
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
        let written = write(&self.out, &signature, Readers::Everybody);
        let about = match &written {
            Ok(()) => format!("\nsignature is written to file {}\n", self.out),
            Err(reason) => format!("\nFailed to write the signature to file {}: {reason}\n", self.out),
        };
        let text = returned(CALL, code) + &about + &status(&states);
        if written.is_ok() { ended(code, text) } else { Err(Stop::Failed(text)) }
    }
}

const CALL: &str = "Sign";
