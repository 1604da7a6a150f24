//! Keys in PEM, as openssl and others write them.
//!
//! A private key goes to an HSM in PKCS #8 and a public key as SubjectPublicKeyInfo, so older encodings become these.
//! Whether the numbers in them are a key is for the HSM to say.

use der::asn1::{BitStringRef, Null, OctetStringRef, UintRef};
use der::{AnyRef, Decode, Encode, Reader, SliceReader};
use pem::{EncodeConfig, LineEnding, Pem};
use pkcs1::{RsaPrivateKeyRef, RsaPublicKeyRef};
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use sec1::{EcParameters, EcPrivateKey};
use zeroize::Zeroizing;

use super::fake_pem;
use crate::files::{Unreadable, read};
use crate::protocol::key::{KeyHandle, KeyType};

/// What the file of a private key holds.
pub enum PrivateKeyFile {
    /// A key.
    Real(PrivateKey),
    /// The handle of a key that is in an HSM.
    Handle(KeyHandle),
}

/// A private key in plaintext.
pub struct PrivateKey {
    /// RSA, EC or DSA.
    pub key_type: KeyType,
    /// The key in PKCS #8.
    pub pkcs8: Zeroizing<Vec<u8>>,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum NoKey {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("not a private key in PEM (PRIVATE KEY, RSA PRIVATE KEY, EC PRIVATE KEY or DSA PRIVATE KEY)")]
    NotPrivate,
    #[error("not a public key in PEM (PUBLIC KEY or RSA PUBLIC KEY)")]
    NotPublic,
    #[error("the key is encrypted; decrypt it first: openssl pkey -in KEY -out NEW")]
    Encrypted,
    #[error("the PEM text is damaged")]
    BadPem,
    #[error("the key is damaged")]
    Damaged,
    #[error("the curve has no name; openssl ec -in KEY -param_enc named_curve -out NEW names it")]
    NoCurve,
    #[error(
        "not an RSA key of 2048 to 4096 bits, an EC key on P-256, P-384, P-521 or secp256k1, or a DSA key"
    )]
    OtherKind,
}

impl From<der::Error> for NoKey {
    fn from(_: der::Error) -> Self {
        Self::Damaged
    }
}

/// Larger than any key's file, in bytes.
const MAX_FILE: u64 = 64 * 1024;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// P-256, P-384, P-521, secp256k1.
const CURVES: [ObjectIdentifier; 4] = [
    ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
    ObjectIdentifier::new_unwrap("1.3.132.0.34"),
    ObjectIdentifier::new_unwrap("1.3.132.0.35"),
    ObjectIdentifier::new_unwrap("1.3.132.0.10"),
];
const DSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10040.4.1");

/// Reads the file of a private key, or of a handle.
pub(super) fn private_key(path: &str) -> Result<PrivateKeyFile, NoKey> {
    parse_private_key(&Zeroizing::new(read(path, MAX_FILE)?))
}

/// Reads the file of a public key: a SubjectPublicKeyInfo.
pub(super) fn public_key(path: &str) -> Result<Vec<u8>, NoKey> {
    parse_public_key(&read(path, MAX_FILE)?)
}

/// Reads a private key, or a handle, from a file's content.
///
/// # Errors
///
/// If there is none, or it is encrypted.
pub fn parse_private_key(text: &[u8]) -> Result<PrivateKeyFile, NoKey> {
    let block = block(text, "PRIVATE KEY")?.ok_or(NoKey::NotPrivate)?;
    if block.tag() == "ENCRYPTED PRIVATE KEY" || block.headers().get("Proc-Type").is_some() {
        return Err(NoKey::Encrypted);
    }
    let tag = block.tag().to_owned();
    let der = Zeroizing::new(block.into_contents());
    let pkcs8 = match tag.as_str() {
        "PRIVATE KEY" => der,
        "RSA PRIVATE KEY" => pkcs8(RSA, Some(AnyRef::from(Null)), &der)?,
        "EC PRIVATE KEY" => from_sec1(&der)?,
        "DSA PRIVATE KEY" => from_dsa(&der)?,
        _ => return Err(NoKey::NotPrivate),
    };
    let key = PrivateKeyInfoRef::from_der(&pkcs8)?;
    let key_type = key_type(&key)?;
    if let Some(handle) = fake_pem::handle(key_type, key.private_key.as_bytes()) {
        return Ok(PrivateKeyFile::Handle(handle));
    }
    Ok(PrivateKeyFile::Real(PrivateKey { key_type, pkcs8 }))
}

/// The key's type. It is checked here, as an HSM would only say that it cannot unwrap the key.
fn key_type(key: &PrivateKeyInfoRef<'_>) -> Result<KeyType, NoKey> {
    match key.algorithm.oid {
        RSA => {
            let numbers = RsaPrivateKeyRef::from_der(key.private_key.as_bytes())?;
            let bytes = numbers.modulus.as_bytes().len();
            if (256..=512).contains(&bytes) { Ok(KeyType::Rsa) } else { Err(NoKey::OtherKind) }
        }
        EC if key.algorithm.parameters_oid().is_err() => Err(NoKey::NoCurve),
        EC if key.algorithm.parameters_oid().is_ok_and(|curve| CURVES.contains(&curve)) => Ok(KeyType::Ec),
        DSA => Ok(KeyType::Dsa),
        _ => Err(NoKey::OtherKind),
    }
}

/// Reads a public key from a file's content: a SubjectPublicKeyInfo.
///
/// # Errors
///
/// If there is none.
pub fn parse_public_key(text: &[u8]) -> Result<Vec<u8>, NoKey> {
    let block = block(text, "PUBLIC KEY")?.ok_or(NoKey::NotPublic)?;
    let der = block.contents();
    match block.tag() {
        "PUBLIC KEY" => Ok(SubjectPublicKeyInfoRef::from_der(der)?.to_der()?),
        "RSA PUBLIC KEY" => {
            RsaPublicKeyRef::from_der(der)?;
            let algorithm = AlgorithmIdentifierRef { oid: RSA, parameters: Some(Null.into()) };
            let subject_public_key = BitStringRef::from_bytes(der)?;
            Ok(SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der()?)
        }
        _ => Err(NoKey::NotPublic),
    }
}

/// A key as text.
#[must_use]
pub fn encode(tag: &str, der: &[u8]) -> Zeroizing<String> {
    let lines = EncodeConfig::new().set_line_ending(LineEnding::LF);
    Zeroizing::new(pem::encode_config(&Pem::new(tag, der), lines))
}

/// The first block of this kind: parameters, or certificates, may stand before it.
fn block(text: &[u8], kind: &str) -> Result<Option<Pem>, NoKey> {
    let blocks = pem::parse_many(text).map_err(|_| NoKey::BadPem)?;
    Ok(blocks.into_iter().find(|block| block.tag().ends_with(kind)))
}

fn pkcs8(
    oid: ObjectIdentifier,
    parameters: Option<AnyRef<'_>>,
    key: &[u8],
) -> Result<Zeroizing<Vec<u8>>, NoKey> {
    let algorithm = AlgorithmIdentifierRef { oid, parameters };
    let info = PrivateKeyInfoRef::new(algorithm, OctetStringRef::new(key)?);
    Ok(Zeroizing::new(info.to_der()?))
}

/// In SEC 1 the curve is a part of the key, in PKCS #8 it stands beside it.
fn from_sec1(der: &[u8]) -> Result<Zeroizing<Vec<u8>>, NoKey> {
    let key = EcPrivateKey::from_der(der)?;
    let curve = key.parameters.and_then(EcParameters::named_curve).ok_or(NoKey::NoCurve)?;
    let bare = Zeroizing::new(EcPrivateKey { parameters: None, ..key }.to_der()?);
    pkcs8(EC, Some(AnyRef::from(&curve)), &bare)
}

/// The traditional encoding is the numbers 0, p, q, g, y and x; in PKCS #8, p, q and g are parameters.
fn from_dsa(der: &[u8]) -> Result<Zeroizing<Vec<u8>>, NoKey> {
    let numbers = SliceReader::new(der)?.sequence(|reader| -> der::Result<Vec<UintRef<'_>>> {
        (0..6).map(|_| UintRef::decode(reader)).collect()
    })?;
    let [_, p, q, g, _, x] = numbers.as_slice() else { return Err(NoKey::Damaged) };
    let parameters = vec![*p, *q, *g].to_der()?;
    let x = Zeroizing::new(x.to_der()?);
    pkcs8(DSA, Some(AnyRef::from_der(&parameters)?), &x)
}

#[cfg(test)]
mod tests {
    use super::{NoKey, PrivateKeyFile, encode, parse_private_key};

    /// `openssl genpkey`, and the same key by `openssl pkey -traditional`.
    const DSA: &str = "\
-----BEGIN PRIVATE KEY-----
MIIBXAIBADCCATQGByqGSM44BAEwggEnAoGBAO37q8rLgbYGPpVTMYqvPBgT6b3Q
X1tFrx8Ycw9t7w6weyFK/VvbqPU+CWGCBz6tf9HIzhm36pQnAUfoZKV6esYdoN3V
2YB/oZIyCSAUd2DpLERJO/bG5jzLxxFD6JyCEIvf7RRQx3V/txac8l/4EnzoeXfU
DB4unjL4XTdE326dAh0A2rw+tQUt9zsZxErsEKYfJrYS27ZaL88DJmW3OwKBgQDM
5q0UA72A0iNeEjKjKbqf4e1MdH4FZx5EMw4y+rtQhP7x3Dramt0WeHDcjlnm8Gsm
FMoFrOxOwFmEhrGl3vozL4zZMnFWnWK5G/COGGogwC2xRCXtdmkUrAYTWYWqBxwW
lIjd/U5j6KCGp+18xD3dNiDYAPiEsFg37tXB8en+MwQfAh0AzAPKxOZ7WrfKWCt7
jOWJ0hQxfSKBQf0BUf2nPw==
-----END PRIVATE KEY-----
";
    const TRADITIONAL_DSA: &str = "\
-----BEGIN DSA PRIVATE KEY-----
MIIBzAIBAAKBgQDt+6vKy4G2Bj6VUzGKrzwYE+m90F9bRa8fGHMPbe8OsHshSv1b
26j1Pglhggc+rX/RyM4Zt+qUJwFH6GSlenrGHaDd1dmAf6GSMgkgFHdg6SxESTv2
xuY8y8cRQ+icghCL3+0UUMd1f7cWnPJf+BJ86Hl31AweLp4y+F03RN9unQIdANq8
PrUFLfc7GcRK7BCmHya2Etu2Wi/PAyZltzsCgYEAzOatFAO9gNIjXhIyoym6n+Ht
THR+BWceRDMOMvq7UIT+8dw62prdFnhw3I5Z5vBrJhTKBazsTsBZhIaxpd76My+M
2TJxVp1iuRvwjhhqIMAtsUQl7XZpFKwGE1mFqgccFpSI3f1OY+ighqftfMQ93TYg
2AD4hLBYN+7VwfHp/jMCgYA1LW87blZL9JgvH3VQM4VFVxaOUZaxfqe+aPnsLRbW
sBLSCKuGGqUN1ArgUhovjYP70aGBeA9z8k6XZk8w0xvNOD1yN7rxcWr2eBdWC/V3
/VMTpqrfhlnskfzFY8Ey2/coRNVhzX04yVilRqeg9PR2FsHUYmf3leXHfukZ+Qjd
jgIdAMwDysTme1q3ylgre4zlidIUMX0igUH9AVH9pz8=
-----END DSA PRIVATE KEY-----
";

    #[test]
    fn a_traditional_dsa_key_is_the_one_that_openssl_makes_of_it() {
        let parsed = |text: &str| match parse_private_key(text.as_bytes()) {
            Ok(PrivateKeyFile::Real(key)) => encode("PRIVATE KEY", &key.pkcs8).to_string(),
            Ok(PrivateKeyFile::Handle(_)) | Err(_) => panic!("not a key: {text}"),
        };
        assert_eq!(parsed(DSA), DSA);
        assert_eq!(parsed(TRADITIONAL_DSA), DSA);
    }

    #[test]
    fn what_is_cut_is_damaged() {
        let der = pem::parse(TRADITIONAL_DSA).unwrap().into_contents();
        for length in 0..der.len() {
            let text = encode("DSA PRIVATE KEY", &der[..length]);
            assert!(matches!(parse_private_key(text.as_bytes()), Err(NoKey::Damaged)), "{length}");
        }
    }
}
