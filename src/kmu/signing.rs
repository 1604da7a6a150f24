//! What sign and verify have in common: the mechanisms' numbers, and the hash of a file.

use std::fs::File;
use std::io::{self, Read};

use aws_lc_rs::digest::{Algorithm, Context, SHA1_FOR_LEGACY_USE_ONLY, SHA224, SHA256, SHA384, SHA512};

use super::Session;
use super::frame::line;
use super::stop::Stop;
use super::transport::{attributes, not_read};
use crate::command::{Argument, Given, Kind, Usage};
use crate::files::without_number;
use crate::protocol::attribute::Attributes;
use crate::protocol::key::{Hash, KeyHandle, SignMechanism, SignScheme};

pub(super) const MECHANISM: Argument =
    Argument::flag("-m", "signature mechanism", Kind::Number, "Mechanism").help(MECHANISMS);

const MECHANISMS: &str = "RSA PKCS #1: 0 SHA1, 1 SHA256, 2 SHA384, 3 SHA512, 4 SHA224; RSA PSS: 5 to 9, in this order; \
                          ECDSA: 15 SHA1, 16 SHA224, 17 SHA256, 18 SHA384, 19 SHA512";

/// As [`MECHANISM`] numbers them.
const NUMBERS: [(u32, SignScheme, Hash); 15] = [
    (0, SignScheme::RsaPkcs, Hash::Sha1),
    (1, SignScheme::RsaPkcs, Hash::Sha256),
    (2, SignScheme::RsaPkcs, Hash::Sha384),
    (3, SignScheme::RsaPkcs, Hash::Sha512),
    (4, SignScheme::RsaPkcs, Hash::Sha224),
    (5, SignScheme::RsaPss, Hash::Sha1),
    (6, SignScheme::RsaPss, Hash::Sha256),
    (7, SignScheme::RsaPss, Hash::Sha384),
    (8, SignScheme::RsaPss, Hash::Sha512),
    (9, SignScheme::RsaPss, Hash::Sha224),
    (15, SignScheme::Ecdsa, Hash::Sha1),
    (16, SignScheme::Ecdsa, Hash::Sha224),
    (17, SignScheme::Ecdsa, Hash::Sha256),
    (18, SignScheme::Ecdsa, Hash::Sha384),
    (19, SignScheme::Ecdsa, Hash::Sha512),
];

/// Reads [`MECHANISM`]; `None` if no mechanism has the number.
pub(super) fn mechanism(given: &Given<'_>) -> Result<Option<SignMechanism>, Usage> {
    let number: u32 = given.number(&MECHANISM)?;
    let known = NUMBERS.iter().find(|(known, ..)| *known == number);
    Ok(known.map(|(_, scheme, hash)| SignMechanism { scheme: *scheme, hash: *hash }))
}

/// The mechanism, if there is one and it fits the key. A key that no HSM describes is left to the HSMs to refuse.
pub(super) fn fitting(
    session: &mut Session<'_>,
    mechanism: Option<SignMechanism>,
    key: KeyHandle,
) -> Result<SignMechanism, Stop> {
    let unsupported = "Unsupported hash type/provided key not valid for signature mechanism";
    let unsupported = || Stop::failed(line(unsupported));
    let mechanism = mechanism.ok_or_else(unsupported)?;
    let fits = |key: Attributes| key.key_type == mechanism.scheme.key_type();
    let fits = attributes(session, key).is_none_or(fits);
    if fits { Ok(mechanism) } else { Err(unsupported()) }
}

/// The hash of a file, which is all that the HSM needs: so the file may be of any size.
pub(super) fn hash(path: &str, hash: Hash) -> Result<Vec<u8>, Stop> {
    digest(path, hash).map_err(|error| not_read(path, &without_number(&error)))
}

fn digest(path: &str, hash: Hash) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut context = Context::new(algorithm(hash));
    let mut part = [0; 64 * 1024];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(context.finish().as_ref().to_vec()),
            length => context.update(part.get(..length).unwrap_or_default()),
        }
    }
}

fn algorithm(hash: Hash) -> &'static Algorithm {
    match hash {
        Hash::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha224 => &SHA224,
        Hash::Sha256 => &SHA256,
        Hash::Sha384 => &SHA384,
        Hash::Sha512 => &SHA512,
    }
}
