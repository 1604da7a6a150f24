//! The key and the certificates of a new cluster.
//!
//! Two chains vouch for the cluster's key. One begins with the owner's CA and exists once the owner has signed; it is
//! the one that consoles trust. The other begins with the maker's CA, which is new for each cluster: it signs each
//! HSM's hardware certificate, and the hardware signs the cluster's key. It stands for the original's manufacturer,
//! and proves only that these files were made together, as the maker's private keys are dropped after signing.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, Error, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize,
};
use time::{Duration, OffsetDateTime};

use crate::hsm::Identity;
use crate::wire::certificate::SUBJECT;

/// The cluster's key and the certificates for it, all in PEM.
pub(super) struct ClusterPki {
    /// The private key that all HSMs of the cluster share.
    pub(super) key: String,
    pub(super) manufacturer_root: String,
    /// One for each HSM, in order.
    pub(super) hardware: Vec<Hardware>,
    pub(super) owner: OwnerPki,
}

/// One HSM's certificates.
pub(super) struct Hardware {
    /// The hardware's certificate, signed by the maker's CA.
    pub(super) certificate: String,
    /// The cluster's certificate, signed by the hardware.
    pub(super) cluster: String,
}

/// The owner's part.
pub(super) enum OwnerPki {
    /// A CA made here.
    Ca {
        /// `customerCA.crt`.
        ca: String,
        /// The CA's private key; no HSM needs it.
        ca_key: String,
        /// The cluster certificate, signed by the CA.
        certificate: String,
    },
    /// A request for the owner to sign.
    Csr(String),
}

/// Whose CA vouches for a cluster's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vouching {
    /// A CA made together with the cluster; its private key is in the cluster's folder, in `owner`.
    MadeHere,
    /// The CA that will sign the cluster's CSR. The cluster is not initialized until the signed certificate is installed.
    SignsCsr,
}

/// As long as that of the customer CA's certificate in the guide's example.
const VALIDITY: Duration = Duration::days(3652);

impl ClusterPki {
    /// Makes the key and all certificates, named after the cluster's first HSM.
    pub(super) fn make(hsms: &[Identity], vouching: Vouching) -> Result<Self, Error> {
        let hsm_id = hsms.first().map_or("", |first| &first.hsm_id);
        let key = cluster_key(vouching)?;
        let maker = Maker::sign(hsms, &key)?;
        Ok(Self {
            key: key.serialize_pem(),
            manufacturer_root: maker.root,
            hardware: maker.hardware,
            owner: OwnerPki::make(hsm_id, &key, vouching)?,
        })
    }
}

/// What the maker of the HSMs signs.
pub(super) struct Maker {
    /// The maker's CA, in PEM.
    pub(super) root: String,
    /// One for each HSM, in order.
    pub(super) hardware: Vec<Hardware>,
}

impl Maker {
    /// Makes the certificates of new HSMs that get an existing cluster key, given in PEM.
    pub(super) fn certify(hsms: &[Identity], cluster_key: &str) -> Result<Self, Error> {
        Self::sign(hsms, &KeyPair::from_pem(cluster_key)?)
    }

    fn sign(hsms: &[Identity], cluster_key: &KeyPair) -> Result<Self, Error> {
        let hsm_id = hsms.first().map_or("", |first| &first.hsm_id);
        let root =
            ca_params(&format!("hsmd manufacturer root of {hsm_id}"), BasicConstraints::Constrained(1))?;
        let root = CertifiedIssuer::self_signed(root, KeyPair::generate()?)?;
        let hardware = hsms.iter().map(|hsm| Hardware::make(hsm, hsm_id, cluster_key, &root));
        Ok(Self { hardware: hardware.collect::<Result<_, _>>()?, root: root.pem() })
    }
}

impl Hardware {
    /// The hardware's common name lacks the prefix of [`crate::wire::certificate`]: otherwise a console that trusted
    /// the maker's CA would accept the hardware's key, which signs certificates, as the cluster's.
    fn make(
        hsm: &Identity,
        hsm_id: &str,
        cluster_key: &KeyPair,
        root: &CertifiedIssuer<'_, KeyPair>,
    ) -> Result<Self, Error> {
        let mut hardware =
            ca_params(&format!("hsmd hardware {}", hsm.serial_number), BasicConstraints::Constrained(0))?;
        hardware.use_authority_key_identifier_extension = true;
        let hardware = CertifiedIssuer::signed_by(hardware, KeyPair::generate()?, root)?;
        let mut cluster = params(cluster_name(hsm_id))?;
        cluster.use_authority_key_identifier_extension = true;
        let cluster = cluster.signed_by(cluster_key, &hardware)?;
        Ok(Self { certificate: hardware.pem(), cluster: cluster.pem() })
    }
}

impl OwnerPki {
    fn make(hsm_id: &str, cluster_key: &KeyPair, vouching: Vouching) -> Result<Self, Error> {
        let cluster = params(cluster_name(hsm_id))?;
        match vouching {
            Vouching::MadeHere => {
                let ca = ca_params(&format!("customerCA of {hsm_id}"), BasicConstraints::Unconstrained)?;
                let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;
                Ok(Self::Ca {
                    ca: ca.pem(),
                    ca_key: ca.key().serialize_pem(),
                    certificate: cluster.signed_by(cluster_key, &ca)?.pem(),
                })
            }
            Vouching::SignsCsr => Ok(Self::Csr(cluster.serialize_request(cluster_key)?.pem()?)),
        }
    }
}

/// The request for the certificate of an existing cluster key, given in PEM.
pub(super) fn request(cluster_key: &str, hsm_id: &str) -> Result<String, Error> {
    let key = KeyPair::from_pem(cluster_key)?;
    params(cluster_name(hsm_id))?.serialize_request(&key)?.pem()
}

/// P-256 is fast to make and to sign with. A CSR has RSA-2048, as the original's.
fn cluster_key(vouching: Vouching) -> Result<KeyPair, Error> {
    match vouching {
        Vouching::MadeHere => KeyPair::generate(),
        Vouching::SignsCsr => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
    }
}

/// The subject of the original's CSR.
fn cluster_name(hsm_id: &str) -> DistinguishedName {
    let common_name = format!("{SUBJECT}{hsm_id}:PARTN:1, for FIPS mode");
    let mut name = DistinguishedName::new();
    for (kind, value) in [
        (DnType::CountryName, "US"),
        (DnType::StateOrProvinceName, "CA"),
        (DnType::OrganizationName, "Cavium"),
        (DnType::OrganizationalUnitName, "N3FIPS"),
        (DnType::LocalityName, "SanJose"),
        (DnType::CommonName, &common_name),
    ] {
        name.push(kind, value);
    }
    name
}

fn ca_params(common_name: &str, constraints: BasicConstraints) -> Result<CertificateParams, Error> {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    let mut params = params(name)?;
    params.is_ca = IsCa::Ca(constraints);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

fn params(name: DistinguishedName) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = name;
    // A day back, for consoles whose clock is behind.
    params.not_before = OffsetDateTime::now_utc() - Duration::DAY;
    params.not_after = params.not_before + VALIDITY;
    Ok(params)
}
