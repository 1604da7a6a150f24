//! `-attest`: whether the HSMs that have a key prove what they say of it.
//!
//! The proof is good if the cluster's key signed it, the owner's CA vouches for that key, and the statement has the nonce
//! of this question, names the HSM that was asked and describes the keys as expected. So nobody between this tool and the
//! HSM, and no earlier answer, can make a key look as it should.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand;

use super::Session;
use super::frame::line;
use super::session::first;
use super::stop::{Printed, Stop};
use crate::cluster::Server;
use crate::command::Argument;
use crate::protocol::attestation::{Attest, Attestation, Statement};
use crate::protocol::attribute::Attributes;
use crate::protocol::certificate::{Certificate, CertificateKind, GetCertificate};
use crate::protocol::key::KeyHandle;

pub(super) const ATTEST: Argument =
    Argument::switch("-attest").help("verifies the HSM's signed statement about the key");

/// Whether a key is as it should be.
pub(super) type AsExpected<'a> = &'a dyn Fn(&Attributes) -> bool;

/// The result of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    Fail,
}

impl Verdict {
    /// Ends a command with this text.
    pub(super) fn ended(self, text: String) -> Printed {
        match self {
            Self::Pass => Ok(text),
            Self::Fail => Err(Stop::Failed(text)),
        }
    }

    /// The line that reports it.
    pub(super) fn line(self) -> String {
        let word = match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
        };
        line(&format!("Attestation Check : [{word}]"))
    }
}

/// Checks the proofs of all these nodes.
pub(super) fn attest(
    session: &mut Session<'_>,
    nodes: &[usize],
    handles: &[KeyHandle],
    as_expected: AsExpected<'_>,
) -> Verdict {
    let is_proved = |node: &usize| is_proved(session, *node, handles, as_expected).unwrap_or(false);
    if !nodes.is_empty() && nodes.iter().all(is_proved) { Verdict::Pass } else { Verdict::Fail }
}

/// `None` if there is no proof.
fn is_proved(
    session: &mut Session<'_>,
    node: usize,
    handles: &[KeyHandle],
    as_expected: AsExpected<'_>,
) -> Option<bool> {
    let mut nonce = [0; 32];
    rand::fill(&mut nonce).ok()?;
    let attestation = first(session.perform(&[node], Attest { handles: handles.to_vec(), nonce })).ok()?;
    let kind = CertificateKind::ClusterByCustomer;
    let certificate = first(session.perform(&[node], GetCertificate { kind })).ok()?;
    let server = session.cluster.servers().get(node)?;
    let statement = signed(server, &certificate, &attestation)?;
    let described: Vec<KeyHandle> = statement.keys.iter().map(|(handle, _)| *handle).collect();
    Some(
        statement.nonce == nonce
            && Some(statement.hsm_id.as_str()) == server.hsm_id()
            && described == handles
            && statement.keys.iter().all(|(_, attributes)| as_expected(attributes)),
    )
}

/// The statement, if the cluster's key signed it.
fn signed(server: &Server, certificate: &Certificate, attestation: &Attestation) -> Option<Statement> {
    let Attestation { statement, signature } = attestation;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let now = i64::try_from(now.as_secs()).ok()?;
    let anchor = server.dial().anchor().ok()?;
    anchor.check_message(&certificate.0, statement, signature, now).ok()?;
    Statement::decode(statement)
}
