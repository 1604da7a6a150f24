//! `getCert`

use crate::command::{Argument, Kind, Permission};
use crate::common::{OutputFile, certificate_kind};
use crate::kmu::frame::line;
use crate::kmu::session::first;
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::certificate::{CertificateKind, GetCertificate};

pub(super) static COMMAND: Command = Command {
    name: "getCert",
    arguments: &[FILE, TYPE],
    summary: "Gets Partition Certificates stored on HSM",
    description: "\
Writes a certificate of the first HSM that answers to a file, in PEM, replacing its content. An HSM whose cluster is not
initialized has neither 4 nor 8.",
    example: "getCert -f userRoot.crt -s 4",
    permission: Some(Permission::of::<GetCertificate>()),
    build: |given| {
        let (file, kind) = (OutputFile::parse(given, &FILE)?, certificate_kind(given, &TYPE)?);
        Ok(Box::new(GetCert { file, kind }))
    },
};

const FILE: Argument =
    Argument::flag("-f", "file-name", Kind::File, "File name").help("file to write the certificate to");
const TYPE: Argument = Argument::flag("-s", "certificate-type", Kind::Number, "Certificate type").help(
    "1 = manufacturer's CA, 2 = hardware, signed by 1, 4 = owner's CA, 8 and 16 = cluster's key, signed by 4 and 2",
);

struct GetCert {
    file: OutputFile,
    kind: CertificateKind,
}

impl Action for GetCert {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        let answers = session.perform(&session.everywhere(), GetCertificate { kind: self.kind });
        let certificate = first(answers).map_err(failed)?;
        let certificate = certificate.checked().map_err(|error| Stop::Failed(line(&error.to_string())))?;
        self.file.write(&certificate.pem()).map_err(|error| Stop::Failed(line(&error.to_string())))?;
        Ok(format!("\nCfm3GetCert() returned 0 :{}\n", Code::SUCCESS.meaning()))
    }
}

/// The misspelt word is the original's.
fn failed(code: Code) -> Stop {
    Stop::Failed(format!("\nCfm3GetCert() failed with erro code {} :{}\n", code.0, code.meaning()))
}
