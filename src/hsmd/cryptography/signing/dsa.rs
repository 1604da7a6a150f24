//! DSA signatures, by the crate `dsa`: aws-lc-rs has no DSA. The crate was never audited, and does not promise constant
//! time.

use dsa::signature::SignatureEncoding;
use dsa::signature::hazmat::{PrehashVerifier, RandomizedPrehashSigner};
use dsa::{Signature, SigningKey, VerifyingKey};
use pkcs8::{DecodePrivateKey, DecodePublicKey};

use super::{NotVerified, Unfit};
use crate::hsmd::cryptography::random::Random;

pub(super) fn sign(pkcs8: &[u8], hash: &[u8]) -> Result<Vec<u8>, Unfit> {
    let key = SigningKey::from_pkcs8_der(pkcs8).map_err(|_| Unfit)?;
    let signature = key.sign_prehash_with_rng(&mut Random, hash).map_err(|_| Unfit)?;
    Ok(signature.to_vec())
}

pub(super) fn verify(spki: &[u8], hash: &[u8], signature: &[u8]) -> Result<(), NotVerified> {
    let key = VerifyingKey::from_public_key_der(spki).map_err(|_| Unfit)?;
    let signature = Signature::try_from(signature).map_err(|_| NotVerified::Wrong)?;
    key.verify_prehash(hash, &signature).map_err(|_| NotVerified::Wrong)
}
