//! `getCert`

use crate::cmu::failure::print_failure;
use crate::cmu::read::ask_all;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::{Argument, Kind, Permission};
use crate::common::{OutputFile, certificate_kind};
use crate::protocol::certificate::{CertificateKind, GetCertificate};

pub(super) static COMMAND: Command = Command {
    name: "getCert",
    arguments: &[FILE, TYPE],
    summary: "Write an HSM's certificate to a file (server mode)",
    description: "\
Writes a certificate of the server to a file, in PEM, replacing its content. The types are 1, the manufacturer's
CA; 2, the HSM's hardware, signed by 1; 4, the owner's CA (customerCA.crt); 8, the cluster's key, signed by 4; and
16, the cluster's key, signed by 2. An HSM whose cluster is not initialized has neither 4 nor 8. In limited
commands mode the origin of the certificate is not proved. The manufacturer is whoever made the cluster with hsmd.",
    example: "getCert /tmp/PO.crt 4",
    permission: Some(Permission::of::<GetCertificate>()),
    build: |given| {
        let (file, kind) = (OutputFile::parse(given, &FILE)?, certificate_kind(given, &TYPE)?);
        Ok(Box::new(GetCert { file, kind }))
    },
};

const FILE: Argument = Argument::word("file-name", Kind::File);
const TYPE: Argument = Argument::word("certificate-type", Kind::Number);

struct GetCert {
    file: OutputFile,
    kind: CertificateKind,
}

impl Action for GetCert {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        if session.pinned.is_none() {
            return Err(Stop::failed("not in server mode; use server <server-number> to enter it"));
        }
        for (number, answer) in ask_all(session, GetCertificate { kind: self.kind })? {
            match answer {
                Ok(certificate) => {
                    let certificate =
                        certificate.checked().map_err(|error| Stop::failed(error.to_string()))?;
                    self.file.write(&certificate.pem())?
                }
                Err(failure) => {
                    print_failure(session, COMMAND.name, number, &failure);
                    return Err(Stop::Servers);
                }
            };
        }
        session.console.print("getCert Success\n");
        Ok(())
    }
}
