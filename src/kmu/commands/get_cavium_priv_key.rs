//! `getCaviumPrivKey`

use crate::command::{Argument, Kind, Permission};
use crate::kmu::frame::line;
use crate::kmu::session::first;
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::transport::{must_be_writable, write_public};
use crate::kmu::{Action, Code, Command, Session, fake_pem};
use crate::protocol::Refusal;
use crate::protocol::attribute::ReadAttributes;
use crate::protocol::key::{KeyClass, KeyHandle};

pub(super) static COMMAND: Command = Command {
    name: "getCaviumPrivKey",
    arguments: &[KEY, OUT],
    summary: "Saves an RSA private key handle\n                          in fake PEM format",
    description: "\
Writes the handle of an RSA or EC private key to a file that looks like a private key in PEM. The public numbers in it
are real; the private key does not leave the HSM.",
    example: "getCaviumPrivKey -k 15 -out cavKey.pem",
    permission: Some(Permission::of::<ReadAttributes>()),
    build: |given| Ok(Box::new(GetCaviumPrivKey { handle: given.handle(&KEY)?, out: given.text(&OUT)? })),
};

const KEY: Argument =
    Argument::flag("-k", "private-key-handle", Kind::Handle, "Key handle").help("handle of the private key");
const OUT: Argument =
    Argument::flag("-out", "fake-PEM-file", Kind::File, "Key File").help("file to write the handle to");

struct GetCaviumPrivKey {
    handle: KeyHandle,
    out: String,
}

impl Action for GetCaviumPrivKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        must_be_writable(&self.out)?;
        let answers = session.perform(&session.everywhere(), ReadAttributes { handle: self.handle });
        let attributes = first(answers).map_err(failed)?;
        let is_private = attributes.class == KeyClass::Private;
        let text = fake_pem::encode(self.handle, &attributes).filter(|_| is_private);
        let text = text.ok_or_else(|| failed(Refusal::KeyUnfit.into()))?;
        write_public(&self.out, text.as_bytes())?;
        let about = format!("\nPrivate Key Handle is written to {} in fake PEM format\n", self.out);
        Ok(about + &returned(Code::SUCCESS))
    }
}

fn failed(code: Code) -> Stop {
    Stop::Failed(returned(code))
}

/// The original names the command here, not a call of its library.
fn returned(code: Code) -> String {
    line(&format!("getCaviumPrivKey returned: 0x{:02x} : {}", code.0, code.text().unwrap_or_default()))
}
