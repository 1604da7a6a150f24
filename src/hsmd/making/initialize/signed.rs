//! The owner's two files, and whether they are what the CSR asked for.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use rustls_pki_types::PrivateKeyDer;
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

/// What the owner gives.
pub struct Signed {
    /// The cluster's certificate, made from the CSR.
    pub certificate: Given,
    /// The CA that made it, `customerCA.crt`.
    pub trust_anchor: Given,
    /// Who gives them.
    pub from: Source,
}

/// Who gives the certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The cluster's owner, for a new cluster.
    Owner,
    /// Another HSM of the cluster, which has them already.
    Member,
}

/// A certificate in PEM, and what messages call it.
pub struct Given {
    name: PathBuf,
    /// `None` if it is in a file of this name, which is read when it is needed: other mistakes are reported first.
    pem: Option<Vec<u8>>,
}

impl Given {
    /// A file named on the command line, which may be a pipe, as it is read once: `--signed-cert <(openssl x509 ...)`.
    #[must_use]
    pub fn file(path: PathBuf) -> Self {
        Self { name: path, pem: None }
    }

    /// As a member of a request gives it.
    #[must_use]
    pub fn named(name: &str, pem: &str) -> Self {
        Self { name: name.into(), pem: Some(pem.as_bytes().to_vec()) }
    }

    fn certificate(&self) -> Result<Certificate, InitializeError> {
        let pem = match &self.pem {
            Some(pem) => Cow::from(pem),
            None => fs::read(&self.name).map_err(unreadable(&self.name)).map_err(PemError::from)?.into(),
        };
        let only = pem_file::only(&self.name, &pem)?;
        certificate::parse(&only).map_err(|distrust| PemError::Unusable(self.name.clone(), distrust))?;
        Ok(Certificate(only.to_vec()))
    }
}

impl Signed {
    /// Those of another HSM of the cluster.
    #[must_use]
    pub fn by_member(folder: &Path) -> Self {
        let [certificate, trust_anchor] = [CERTIFICATE, CA].map(|name| Given::file(folder.join(name)));
        Self { certificate, trust_anchor, from: Source::Member }
    }

    /// Checks both against each other and against every HSM's copy of the cluster's key.
    ///
    /// # Errors
    ///
    /// If they are not what the cluster's CSR asked for.
    pub fn check(&self, keys: &[&PrivateKeyDer<'_>]) -> Result<OwnerCertificates, InitializeError> {
        let Self { certificate, trust_anchor, from } = self;
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let owner =
            OwnerCertificates { root: trust_anchor.certificate()?, cluster: certificate.certificate()? };
        let anchor = check_anchor(&trust_anchor.name, &owner.root, *from, now)?;
        if !keys.iter().all(|key| certificate::is_about(&owner.cluster.0, key)) {
            return Err(InitializeError::OtherKey(certificate.name.clone()));
        }
        anchor.check(&owner.cluster.0, now).map_err(|source| InitializeError::NotEndorsed {
            certificate: certificate.name.clone(),
            trust_anchor: trust_anchor.name.clone(),
            source,
        })?;
        Ok(owner)
    }

    /// As [`check`](Self::check), and that no HSM has other certificates already.
    pub(super) fn check_all(&self, hsms: &[StoppedHsm]) -> Result<OwnerCertificates, InitializeError> {
        let keys: Vec<_> = hsms.iter().map(|hsm| &hsm.folder.key).collect();
        let owner = self.check(&keys)?;
        let has_other =
            |hsm: &&StoppedHsm| hsm.folder.certificates.owner.as_ref().is_some_and(|has| *has != owner);
        match hsms.iter().find(has_other) {
            Some(hsm) => Err(InitializeError::AlreadyOtherwise(hsm.path.clone())),
            None => Ok(owner),
        }
    }
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
