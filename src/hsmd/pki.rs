//! The certificates of a new cluster, when its maker also plays its owner.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, Error, IsCa, KeyPair,
    KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

use crate::wire::certificate::SUBJECT;

/// The owner's CA and the cluster's key, all in PEM.
pub(super) struct ClusterPki {
    /// `customerCA.crt`.
    pub(super) ca: String,
    /// The CA's private key, which no HSM needs.
    pub(super) ca_key: String,
    /// The cluster certificate, signed by the CA.
    pub(super) certificate: String,
    /// The private key that all HSMs of the cluster share.
    pub(super) key: String,
}

/// As long as the guide's example makes the customer CA's certificate.
const VALIDITY: Duration = Duration::days(3652);

impl ClusterPki {
    /// Makes both keys and signs the cluster's certificate, named after the cluster's first HSM.
    pub(super) fn make(hsm_id: &str) -> Result<Self, Error> {
        let ca = CertifiedIssuer::self_signed(ca_params(hsm_id)?, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let subject = format!("{SUBJECT}{hsm_id}:PARTN:1, for FIPS mode");
        let certificate = params(&subject)?.signed_by(&key, &ca)?;
        Ok(Self {
            ca: ca.pem(),
            ca_key: ca.key().serialize_pem(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }
}

fn ca_params(hsm_id: &str) -> Result<CertificateParams, Error> {
    let mut params = params(&format!("customerCA of {hsm_id}"))?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

fn params(common_name: &str) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    // A day back, for clocks that are not quite equal.
    params.not_before = OffsetDateTime::now_utc() - Duration::DAY;
    params.not_after = params.not_before + VALIDITY;
    Ok(params)
}
