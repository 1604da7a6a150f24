//! `getCert`

use crate::cmu::command::action;
use crate::cmu::failure::print_failure;
use crate::cmu::output_file::OutputFile;
use crate::cmu::read::ask_all;
use crate::cmu::{Action, Command, Group, Session, Stop, Usage, Words};
use crate::protocol::Operation;
use crate::protocol::certificate::{CertificateKind, GetCertificate};

pub(super) static COMMAND: Command = Command {
    name: "getCert",
    arguments: "<file-name> <certificate-type>",
    group: Group::Hsm,
    summary: "Write an HSM's certificate to a file (server mode)",
    description: "\
Writes a certificate of the server, in PEM, in place of what the file held. The types are 1, the manufacturer's CA;
2, the HSM's hardware, signed by 1; 4, the owner's CA (customerCA.crt); 8, the cluster's key, signed by 4; and 16, the
cluster's key, signed by 2. An HSM whose cluster is not initialized has neither 4 nor 8. In limited commands mode
nobody has proved where the certificate comes from. The manufacturer is who made the cluster with hsmd.",
    example: "getCert /tmp/PO.crt 4",
    access: Some(GetCertificate::ACCESS),
    service: GetCertificate::SERVICE,
    secret: None,
    parse,
};

struct GetCert {
    file: OutputFile,
    kind: CertificateKind,
}

fn parse(mut words: Words<'_>) -> Result<Box<dyn Action>, Usage> {
    let file = OutputFile::next(&mut words, "file-name")?;
    let word = words.next("certificate-type")?;
    let kind = word.parse().ok().and_then(CertificateKind::of_number);
    words.finish()?;
    match kind {
        Some(kind) => action(GetCert { file, kind }),
        None => Err(Usage::Invalid { word: word.to_owned(), expected: "1, 2, 4, 8 or 16" }),
    }
}

impl Action for GetCert {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        if session.pinned.is_none() {
            return Err(Stop::failed("not in server mode; server <server-number> enters it"));
        }
        for (number, answer) in ask_all(session, GetCertificate { kind: self.kind })? {
            match answer {
                Ok(certificate) => self.file.write(&certificate.pem())?,
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
