//! The owner's two files, and whether they are what the CSR asked for.

use std::fs;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::public_key::{PublicKey, RSAPublicKey};

use super::{InitializeError, StoppedHsm};
use crate::files::unreadable;
use crate::hsm::OwnerCertificates;
use crate::hsmd::keeping::folder::{CA, CERTIFICATE};
use crate::protocol::certificate::Certificate;
use crate::wire::anchor::Anchor;
use crate::wire::certificate;
use crate::wire::pem_file::{self, PemError};

/// The owner's files.
pub struct Signed {
    /// The cluster's certificate, made from the CSR.
    pub certificate: PathBuf,
    /// The CA that made it, `customerCA.crt`.
    pub trust_anchor: PathBuf,
    /// Who gives them.
    pub from: Source,
}

/// Who gives the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The cluster's owner, for a new cluster.
    Owner,
    /// Another HSM of the cluster, which has them already.
    Member,
}

impl Signed {
    /// Those of another HSM of the cluster.
    #[must_use]
    pub fn by_member(folder: &Path) -> Self {
        let (certificate, trust_anchor) = (folder.join(CERTIFICATE), folder.join(CA));
        Self { certificate, trust_anchor, from: Source::Member }
    }

    /// Reads the files, and checks them against each other and against every HSM.
    pub(super) fn read(&self, hsms: &[StoppedHsm]) -> Result<OwnerCertificates, InitializeError> {
        let Self { certificate, trust_anchor, from } = self;
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let owner = OwnerCertificates { root: read_one(trust_anchor)?, cluster: read_one(certificate)? };
        let anchor = check_anchor(trust_anchor, &owner.root, *from, now)?;
        let is_about = |hsm: &StoppedHsm| certificate::is_about(&owner.cluster.0, &hsm.folder.key);
        if !hsms.iter().all(is_about) {
            return Err(InitializeError::OtherKey(certificate.clone()));
        }
        anchor.check(&owner.cluster.0, now).map_err(|source| InitializeError::NotEndorsed {
            certificate: certificate.clone(),
            trust_anchor: trust_anchor.clone(),
            source,
        })?;
        let has_other =
            |hsm: &&StoppedHsm| hsm.folder.certificates.owner.as_ref().is_some_and(|has| *has != owner);
        match hsms.iter().find(has_other) {
            Some(hsm) => Err(InitializeError::AlreadyOtherwise(hsm.path.clone())),
            None => Ok(owner),
        }
    }
}

/// Reads a file named on the command line, which may be a pipe: `--signed-cert <(openssl x509 ...)`.
fn read_one(path: &Path) -> Result<Certificate, InitializeError> {
    let content = fs::read(path).map_err(unreadable(path)).map_err(PemError::from)?;
    let only = pem_file::only(path, &content)?;
    certificate::parse(&only).map_err(|distrust| PemError::Unusable(path.to_owned(), distrust))?;
    Ok(Certificate(only.to_vec()))
}

/// Whether the CA is self-signed, may sign certificates, and has a kind of key that the guide allows.
fn check_anchor(path: &Path, root: &Certificate, from: Source, now: i64) -> Result<Anchor, InitializeError> {
    let unusable = |distrust| PemError::Unusable(path.to_owned(), distrust);
    let ca = certificate::parse(&root.0).map_err(unusable)?;
    let found = key_name(&ca);
    // `hsmd cluster init` makes a CA of another kind.
    if from == Source::Owner && found != "RSA-2048" && found != "RSA-4096" {
        return Err(InitializeError::AnchorKey(path.to_owned(), found));
    }
    let anchor = Anchor::from_der(&root.0, path)?;
    if !may_sign_certificates(&ca) {
        return Err(InitializeError::NotACa(path.to_owned()));
    }
    certificate::check_dates(&ca, now).map_err(unusable)?;
    Ok(anchor)
}

fn key_name(certificate: &X509Certificate<'_>) -> String {
    match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA-{}", bits(&key)),
        Ok(PublicKey::EC(_)) => "EC".to_owned(),
        Ok(_) | Err(_) => format!("of algorithm {}", certificate.public_key().algorithm.algorithm),
    }
}

fn bits(key: &RSAPublicKey<'_>) -> usize {
    let mut digits = key.modulus.iter().copied().skip_while(|byte| *byte == 0);
    let first = digits.next().unwrap_or_default();
    let bits_of_first = usize::try_from(u8::BITS.saturating_sub(first.leading_zeros())).unwrap_or_default();
    digits.count().saturating_mul(8).saturating_add(bits_of_first)
}

/// Without these extensions it may: so does OpenSSL treat a self-signed certificate.
fn may_sign_certificates(ca: &X509Certificate<'_>) -> bool {
    let is_ca = ca.basic_constraints().is_ok_and(|found| found.is_none_or(|found| found.value.ca));
    is_ca && ca.key_usage().is_ok_and(|found| found.is_none_or(|found| found.value.key_cert_sign()))
}
