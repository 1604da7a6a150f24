//! The certificates that prove where an HSM comes from and who owns it.

use pem::{EncodeConfig, LineEnding, Pem};
use serde::{Deserialize, Serialize};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

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

/// What an HSM sent as a certificate is something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what the HSM sent is not a certificate; it is not written")]
pub struct NotACertificate;

impl Certificate {
    /// It, if it is a certificate. An HSM that has proved nothing can send any bytes, and people trust the file that they
    /// get.
    ///
    /// # Errors
    ///
    /// If it is something else.
    pub fn checked(&self) -> Result<&Self, NotACertificate> {
        match X509Certificate::from_der(&self.0) {
            Ok(([], _)) => Ok(self),
            Ok(_) | Err(_) => Err(NotACertificate),
        }
    }

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

#[cfg(test)]
mod tests {
    use super::{Certificate, CertificateKind, NotACertificate};

    #[test]
    fn only_a_certificate_and_nothing_more_is_one() {
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        let der = made.der().to_vec();
        assert!(Certificate(der.clone()).checked().is_ok());
        let cut = der[..der.len() - 1].to_vec();
        for bytes in [[der, vec![0]].concat(), cut, b"#!/bin/sh\n".to_vec(), Vec::new()] {
            assert_eq!(Certificate(bytes).checked(), Err(NotACertificate));
        }
    }

    #[test]
    fn a_certificate_is_written_as_pem() {
        let pem = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
        assert_eq!(Certificate(vec![1, 2, 3]).pem(), pem);
    }

    #[test]
    fn certificates_have_the_originals_numbers() {
        for (kind, number) in CertificateKind::ALL.into_iter().zip([1, 2, 4, 8, 16]) {
            assert_eq!((kind.number(), CertificateKind::of_number(number)), (number, Some(kind)));
        }
        assert_eq!(CertificateKind::of_number(3), None);
    }
}
