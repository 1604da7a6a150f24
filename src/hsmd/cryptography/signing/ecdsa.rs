//! ECDSA signatures, on every curve with every hash.

use aws_lc_rs::digest::Digest;
use aws_lc_rs::signature::{EcdsaKeyPair, ParsedPublicKey};

use super::{NotVerified, Unfit};
use crate::hsmd::cryptography::keys::ec::Group;

pub(super) fn sign(pkcs8: &[u8], hash: &[u8]) -> Result<Vec<u8>, Unfit> {
    let group = Group::of_private(pkcs8).map_err(|_| Unfit)?;
    let pair = EcdsaKeyPair::from_pkcs8(group.signing, pkcs8).map_err(|_| Unfit)?;
    let signature = pair.sign_digest(&as_long_as_expected(group, hash)?).map_err(|_| Unfit)?;
    Ok(signature.as_ref().to_vec())
}

pub(super) fn verify(spki: &[u8], hash: &[u8], signature: &[u8]) -> Result<(), NotVerified> {
    let group = Group::of_public(spki).map_err(|_| Unfit)?;
    let key = ParsedPublicKey::new(group.verification, spki).map_err(|_| Unfit)?;
    let hash = as_long_as_expected(group, hash)?;
    key.verify_digest_sig(&hash, signature).map_err(|_| NotVerified::Wrong)
}

/// aws-lc-rs ties one length of hash to each curve, but ECDSA knows no lengths: it takes the leftmost bits of the hash,
/// as many as the order of the curve has, as a number (FIPS 186-5, 6.4.1). Zeros before a shorter hash do not change
/// this number, nor does what is cut from a longer one: the expected length is the order's, or on P-521 that of the
/// longest hash.
fn as_long_as_expected(group: &Group, hash: &[u8]) -> Result<Digest, Unfit> {
    let length = group.hash.output_len();
    let left = hash.get(..length).unwrap_or(hash);
    let mut number = vec![0; length.saturating_sub(left.len())];
    number.extend_from_slice(left);
    Digest::import_less_safe(&number, group.hash).map_err(|_| Unfit)
}
