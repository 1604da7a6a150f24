//! The HSM's certificates, and what it does before it has an owner.

use super::{Case, Decide, Decided, Ruling};
use crate::protocol::certificate::{Certificate, CertificateKind, GetCertificate};
use crate::protocol::{Access, Refusal, Request};

/// The certificates of one HSM. They are not part of its history: each decision gets them with its `Env`.
#[derive(Clone)]
pub struct Certificates {
    /// The manufacturer's CA.
    pub manufacturer_root: Certificate,
    /// This HSM's hardware, signed by the manufacturer's CA.
    pub hardware: Certificate,
    /// The cluster's key, signed by the hardware.
    pub cluster_by_hardware: Certificate,
    /// `None` until the cluster is initialized.
    pub owner: Option<OwnerCertificates>,
}

/// The certificates that the cluster's owner signed.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnerCertificates {
    /// The owner's CA, `customerCA.crt`.
    pub root: Certificate,
    /// The cluster's key, signed by the owner's CA.
    pub cluster: Certificate,
}

impl Certificates {
    fn of(&self, kind: CertificateKind) -> Option<&Certificate> {
        match kind {
            CertificateKind::ManufacturerRoot => Some(&self.manufacturer_root),
            CertificateKind::ManufacturerHardware => Some(&self.hardware),
            CertificateKind::CustomerRoot => self.owner.as_ref().map(|owner| &owner.root),
            CertificateKind::ClusterByCustomer => self.owner.as_ref().map(|owner| &owner.cluster),
            CertificateKind::ClusterByHardware => Some(&self.cluster_by_hardware),
        }
    }
}

impl Case<'_> {
    /// Refuses what is not public as long as nobody owns the cluster.
    pub(super) fn must_have_owner(&self, request: &Request) -> Result<(), Refusal> {
        match (request.access(), &self.env.certificates.owner) {
            (Access::Public, _) | (_, Some(_)) => Ok(()),
            (_, None) => Err(Refusal::NotInitialized),
        }
    }
}

impl Decide for GetCertificate {
    fn decide(&self, case: &Case<'_>) -> Ruling<Certificate> {
        let certificate = case.env.certificates.of(self.kind).ok_or(Refusal::NotInitialized)?;
        Ok(Decided::read(certificate.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Certificates, OwnerCertificates};
    use crate::hsm::{Env, Hsm, SessionId, Verdict};
    use crate::protocol::certificate::{Certificate, CertificateKind, GetCertificate};
    use crate::protocol::device::{DescribeHsm, ListMembers};
    use crate::protocol::message::{OperationId, Round};
    use crate::protocol::session::{Login, Logout};
    use crate::protocol::user::{ChangePassword, CreateUser, DeleteUser, ListUsers, UserType};
    use crate::protocol::{Operation, Refusal, Reply, Request, Secret};

    #[test]
    fn each_kind_has_its_own_certificate() {
        for (kind, expected) in CertificateKind::ALL.into_iter().zip(1..) {
            let reply = ask(&GetCertificate { kind }.into_request(), owned());
            assert_eq!(reply, Ok(Reply::GetCertificate(Certificate(vec![expected]))), "{kind:?}");
        }
    }

    #[test]
    fn without_an_owner_there_are_no_owners_certificates() {
        let without: Vec<_> = CertificateKind::ALL
            .into_iter()
            .filter(|kind| {
                ask(&GetCertificate { kind: *kind }.into_request(), None) == Err(Refusal::NotInitialized)
            })
            .collect();
        assert_eq!(without, [CertificateKind::CustomerRoot, CertificateKind::ClusterByCustomer]);
    }

    #[test]
    fn without_an_owner_only_public_questions_are_answered_in_either_round() {
        for request in [DescribeHsm.into_request(), ListMembers.into_request(), ListUsers.into_request()] {
            assert!(ask(&request, None).is_ok(), "{}", request.name());
        }
        for request in not_public() {
            let name = request.name();
            for round in [Round::Rehearse, Round::Perform(OperationId(1))] {
                let answer = ask_in(round, &request, None);
                assert_eq!(answer, Err(Refusal::NotInitialized), "{name}");
            }
            assert_ne!(ask(&request, owned()), Err(Refusal::NotInitialized), "{name}");
        }
    }

    fn not_public() -> Vec<Request> {
        let (user_type, name) = (UserType::Co, "admin".to_owned());
        let password = || Secret::new("password1".to_owned());
        vec![
            Login { user_type, name: name.clone(), password: password(), second_factor: None }.into_request(),
            Logout.into_request(),
            CreateUser { user_type, name: name.clone(), password: password(), second_factor: None }
                .into_request(),
            DeleteUser { user_type, name: name.clone() }.into_request(),
            ChangePassword { user_type, name, password: password(), second_factor: None }.into_request(),
        ]
    }

    fn ask(request: &Request, owner: Option<OwnerCertificates>) -> Result<Reply, Refusal> {
        ask_in(Round::Perform(OperationId(1)), request, owner)
    }

    fn ask_in(round: Round, request: &Request, owner: Option<OwnerCertificates>) -> Result<Reply, Refusal> {
        let certificates = Certificates {
            manufacturer_root: certificate(1),
            hardware: certificate(2),
            cluster_by_hardware: certificate(5),
            owner,
        };
        let env = Env { now: 0, members: &[], max_connections: 9, certificates: &certificates, worked: None };
        match Hsm::default().decide(request, round, SessionId(1), &env).verdict {
            Verdict::Reply(reply) => Ok(reply),
            Verdict::Refused(refusal) => Err(refusal),
            Verdict::Needs(_) => panic!("nobody is there whose password could be asked for"),
        }
    }

    fn owned() -> Option<OwnerCertificates> {
        Some(OwnerCertificates { root: certificate(3), cluster: certificate(4) })
    }

    fn certificate(byte: u8) -> Certificate {
        Certificate(vec![byte])
    }
}
