//! The curves that have a number in the original.

use crate::protocol::key::Curve;

/// Number, name, and the curve. HSMs make keys only on those that have a value here.
pub(super) const CURVES: &[(u32, &str, Option<Curve>)] = &[
    (1, "NID_X9_62_prime192v1", None),
    (2, "NID_X9_62_prime256v1", Some(Curve::P256)),
    (3, "NID_sect163k1", None),
    (4, "NID_sect163r2", None),
    (5, "NID_sect233k1", None),
    (6, "NID_sect233r1", None),
    (7, "NID_sect283k1", None),
    (8, "NID_sect283r1", None),
    (9, "NID_sect409k1", None),
    (10, "NID_sect409r1", None),
    (11, "NID_sect571k1", None),
    (12, "NID_sect571r1", None),
    (13, "NID_secp224r1", None),
    (14, "NID_secp384r1", Some(Curve::P384)),
    (15, "NID_secp521r1", Some(Curve::P521)),
    (16, "NID_secp256k1", Some(Curve::Secp256k1)),
];
