//! `getCert`

use crate::cluster::Question;
use crate::cmu::command::action;
use crate::cmu::failure::{print_failure, usual_context};
use crate::cmu::output_file::OutputFile;
use crate::cmu::{Action, Command, Group, Outcome, Session, Usage, Words};
use crate::protocol::Operation;
use crate::protocol::certificate::{Certificate, CertificateKind, GetCertificate};

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
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Outcome {
        let Some(number) = session.pinned else {
            session.console.print("getCert failed: not in server mode; server <server-number> enters it\n");
            return Outcome::Failed;
        };
        let Ok(question) = Question::new(GetCertificate { kind: self.kind }) else { return Outcome::Failed };
        session.reconnect(&[number]);
        let answer = session.ask(&[number], &question, question.perform()).pop();
        match answer {
            Some(Ok(Some(certificate))) => write(session, &self.file, &certificate),
            Some(Err(failure)) => {
                print_failure(session, COMMAND.name, usual_context, number, &failure);
                Outcome::Failed
            }
            Some(Ok(None)) | None => Outcome::Failed,
        }
    }
}

fn write(session: &mut Session<'_>, file: &OutputFile, certificate: &Certificate) -> Outcome {
    match file.write(&certificate.pem()) {
        Ok(_) => {
            session.console.print("getCert Success\n");
            Outcome::Done
        }
        Err(error) => {
            session.console.print(&format!("getCert failed: {error}\n"));
            Outcome::Failed
        }
    }
}
