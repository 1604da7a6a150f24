//! The certificates that prove where an HSM comes from and who owns it.

use pem::{EncodeConfig, LineEnding, Pem};
use serde::{Deserialize, Serialize};

use super::about::About;

/// Asks for one of the HSM's certificates.
#[derive(Clone, Serialize, Deserialize)]
pub struct GetCertificate {
    /// Which.
    pub kind: CertificateKind,
}

impl About for GetCertificate {}

/// The five certificates. New ones go to the end: the order is the wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CertificateKind {
    /// The manufacturer's CA, which signs itself.
    ManufacturerRoot,
    /// The HSM's hardware, signed by the manufacturer's CA.
    ManufacturerHardware,
    /// The owner's CA, which signs itself: `customerCA.crt`.
    CustomerRoot,
    /// The cluster's key, signed by the owner's CA.
    ClusterByCustomer,
    /// The cluster's key, signed by the hardware.
    ClusterByHardware,
}

/// An X.509 certificate in DER.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate(pub Vec<u8>);

impl Certificate {
    /// PEM, as it stands in a file.
    #[must_use]
    pub fn pem(&self) -> String {
        let lines = EncodeConfig::new().set_line_ending(LineEnding::LF);
        pem::encode_config(&Pem::new("CERTIFICATE", self.0.as_slice()), lines)
    }
}

impl CertificateKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::ManufacturerRoot,
        Self::ManufacturerHardware,
        Self::CustomerRoot,
        Self::ClusterByCustomer,
        Self::ClusterByHardware,
    ];

    /// The number by which the original's getCert asks for it.
    #[must_use]
    pub fn number(self) -> usize {
        match self {
            Self::ManufacturerRoot => 1,
            Self::ManufacturerHardware => 2,
            Self::CustomerRoot => 4,
            Self::ClusterByCustomer => 8,
            Self::ClusterByHardware => 16,
        }
    }

    /// The certificate with that number, if there is one.
    #[must_use]
    pub fn of_number(number: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}
