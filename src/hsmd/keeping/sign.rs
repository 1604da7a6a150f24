//! Signing a hash with a private key.

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
    RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};

use crate::protocol::key::{Hash, SignMechanism, SignScheme};

/// Signs with a private key in PKCS #8. An EC key signs one kind of hash: SHA-256 on P-256 and secp256k1, SHA-384
/// on P-384, SHA-512 on P-521.
pub(super) fn sign(pkcs8: &[u8], mechanism: SignMechanism, hash: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let hash = Digest::import_less_safe(hash, algorithm(mechanism.hash))?;
    match (mechanism.scheme, mechanism.hash) {
        (SignScheme::RsaPkcs, Hash::Sha256) => rsa(pkcs8, &RSA_PKCS1_SHA256, &hash),
        (SignScheme::RsaPkcs, Hash::Sha384) => rsa(pkcs8, &RSA_PKCS1_SHA384, &hash),
        (SignScheme::RsaPkcs, Hash::Sha512) => rsa(pkcs8, &RSA_PKCS1_SHA512, &hash),
        (SignScheme::RsaPss, Hash::Sha256) => rsa(pkcs8, &RSA_PSS_SHA256, &hash),
        (SignScheme::RsaPss, Hash::Sha384) => rsa(pkcs8, &RSA_PSS_SHA384, &hash),
        (SignScheme::RsaPss, Hash::Sha512) => rsa(pkcs8, &RSA_PSS_SHA512, &hash),
        (SignScheme::Ecdsa, Hash::Sha256) => ecdsa(pkcs8, &ECDSA_P256_SHA256_ASN1_SIGNING, &hash)
            .or_else(|_| ecdsa(pkcs8, &ECDSA_P256K1_SHA256_ASN1_SIGNING, &hash)),
        (SignScheme::Ecdsa, Hash::Sha384) => ecdsa(pkcs8, &ECDSA_P384_SHA384_ASN1_SIGNING, &hash),
        (SignScheme::Ecdsa, Hash::Sha512) => ecdsa(pkcs8, &ECDSA_P521_SHA512_ASN1_SIGNING, &hash),
    }
}

fn rsa(pkcs8: &[u8], encoding: &'static dyn RsaEncoding, hash: &Digest) -> Result<Vec<u8>, Unspecified> {
    let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| Unspecified)?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign_digest(encoding, hash, &mut signature)?;
    Ok(signature)
}

fn ecdsa(
    pkcs8: &[u8],
    algorithm: &'static EcdsaSigningAlgorithm,
    hash: &Digest,
) -> Result<Vec<u8>, Unspecified> {
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8).map_err(|_| Unspecified)?;
    Ok(pair.sign_digest(hash)?.as_ref().to_vec())
}

fn algorithm(hash: Hash) -> &'static digest::Algorithm {
    match hash {
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
    }
}
