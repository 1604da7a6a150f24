//! The console's check of certificates: it trusts only what the owner's CA has signed, to the last byte.

use std::path::Path;

use cloudhsm::wire::anchor::Anchor;

/// The CAs, each with its only certificate of an HSM.
const CAS: [(&[u8], &[u8]); 2] = [
    (include_bytes!("../seeds/certificates/rsa_ca"), include_bytes!("../seeds/certificates/rsa_hsm")),
    (include_bytes!("../seeds/certificates/ec_ca"), include_bytes!("../seeds/certificates/ec_hsm")),
];

/// In January 2027, when the certificates are valid.
const NOW: i64 = 1_800_000_000;

pub fn run(der: &[u8]) {
    let is_a_ca = CAS.iter().any(|(ca, _)| *ca == der);
    assert_eq!(Anchor::from_der(der, Path::new("")).is_ok(), is_a_ca);
    for (ca, hsm) in CAS {
        let anchor = Anchor::from_der(ca, Path::new("")).unwrap();
        assert_eq!(anchor.check(der, NOW).is_ok(), der == hsm);
    }
}
