//! RSA signatures.
//!
//! aws-lc-rs signs with SHA-256, 384 and 512 only, and verifies those and PKCS #1 v1.5 with SHA-1. The crate `rsa`
//! does the rest: SHA-1 and SHA-224. RUSTSEC-2023-0071 is about the time that its private operations take; since 0.10
//! they run in constant time, and blinded by random numbers, which it is given here. Nobody can choose what is signed
//! beyond its hash.

use ::rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use ::rsa::sha2::Sha224;
use ::rsa::traits::SignatureScheme;
use ::rsa::{Pkcs1v15Sign, PrivateKey, Pss, PublicKey};
use aws_lc_rs::digest::Digest;
use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
    RSA_PKCS1_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair, RsaParameters,
};
use sha1::Sha1;

use super::{NotVerified, Unfit, algorithm};
use crate::hsmd::cryptography::random::Random;
use crate::protocol::key::Hash;

pub(super) fn sign_pkcs1(pkcs8: &[u8], function: Hash, hash: &[u8]) -> Result<Vec<u8>, Unfit> {
    match function {
        Hash::Sha1 => sign_old(pkcs8, Pkcs1v15Sign::new::<Sha1>(), hash),
        Hash::Sha224 => sign_old(pkcs8, Pkcs1v15Sign::new::<Sha224>(), hash),
        Hash::Sha256 => sign(pkcs8, &RSA_PKCS1_SHA256, function, hash),
        Hash::Sha384 => sign(pkcs8, &RSA_PKCS1_SHA384, function, hash),
        Hash::Sha512 => sign(pkcs8, &RSA_PKCS1_SHA512, function, hash),
    }
}

pub(super) fn sign_pss(pkcs8: &[u8], function: Hash, hash: &[u8]) -> Result<Vec<u8>, Unfit> {
    match function {
        Hash::Sha1 => sign_old(pkcs8, Pss::<Sha1>::new(), hash),
        Hash::Sha224 => sign_old(pkcs8, Pss::<Sha224>::new(), hash),
        Hash::Sha256 => sign(pkcs8, &RSA_PSS_SHA256, function, hash),
        Hash::Sha384 => sign(pkcs8, &RSA_PSS_SHA384, function, hash),
        Hash::Sha512 => sign(pkcs8, &RSA_PSS_SHA512, function, hash),
    }
}

pub(super) fn verify_pkcs1(
    spki: &[u8],
    function: Hash,
    hash: &[u8],
    signature: &[u8],
) -> Result<(), NotVerified> {
    let by: &'static RsaParameters = match function {
        Hash::Sha1 => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha224 => return verify_old(spki, Pkcs1v15Sign::new::<Sha224>(), hash, signature),
        Hash::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        Hash::Sha384 => &RSA_PKCS1_2048_8192_SHA384,
        Hash::Sha512 => &RSA_PKCS1_2048_8192_SHA512,
    };
    verify(spki, by, function, (hash, signature))
}

pub(super) fn verify_pss(
    spki: &[u8],
    function: Hash,
    hash: &[u8],
    signature: &[u8],
) -> Result<(), NotVerified> {
    let by: &'static RsaParameters = match function {
        Hash::Sha1 => return verify_old(spki, Pss::<Sha1>::new(), hash, signature),
        Hash::Sha224 => return verify_old(spki, Pss::<Sha224>::new(), hash, signature),
        Hash::Sha256 => &RSA_PSS_2048_8192_SHA256,
        Hash::Sha384 => &RSA_PSS_2048_8192_SHA384,
        Hash::Sha512 => &RSA_PSS_2048_8192_SHA512,
    };
    verify(spki, by, function, (hash, signature))
}

fn sign(pkcs8: &[u8], by: &'static dyn RsaEncoding, function: Hash, hash: &[u8]) -> Result<Vec<u8>, Unfit> {
    let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| Unfit)?;
    let hash = Digest::import_less_safe(hash, algorithm(function)).map_err(|_| Unfit)?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign_digest(by, &hash, &mut signature).map_err(|_| Unfit)?;
    Ok(signature)
}

fn sign_old(pkcs8: &[u8], by: impl SignatureScheme, hash: &[u8]) -> Result<Vec<u8>, Unfit> {
    let key = PrivateKey::from_pkcs8_der(pkcs8).map_err(|_| Unfit)?;
    key.sign_with_rng(&mut Random, by, hash).map_err(|_| Unfit)
}

fn verify(
    spki: &[u8],
    by: &'static RsaParameters,
    function: Hash,
    (hash, signature): (&[u8], &[u8]),
) -> Result<(), NotVerified> {
    let key = ParsedPublicKey::new(by, spki).map_err(|_| Unfit)?;
    let hash = Digest::import_less_safe(hash, algorithm(function)).map_err(|_| Unfit)?;
    key.verify_digest_sig(&hash, signature).map_err(|_| NotVerified::Wrong)
}

fn verify_old(
    spki: &[u8],
    by: impl SignatureScheme,
    hash: &[u8],
    signature: &[u8],
) -> Result<(), NotVerified> {
    let key = PublicKey::from_public_key_der(spki).map_err(|_| Unfit)?;
    key.verify(by, hash, signature).map_err(|_| NotVerified::Wrong)
}
