//! Signatures.

use cloudhsm::hsmd::cryptography::signing::{NotVerified, Unfit, sign, verify};
use cloudhsm::protocol::key::{Hash, KeyType, SignMechanism, SignScheme};

use proptest::prelude::*;

use crate::desk::{DSA_2048, Desk, KINDS, Kind, P256, Pair, RSA_2048};

const HASHES: [(Hash, &str); 5] = [
    (Hash::Sha1, "sha1"),
    (Hash::Sha224, "sha224"),
    (Hash::Sha256, "sha256"),
    (Hash::Sha384, "sha384"),
    (Hash::Sha512, "sha512"),
];

const SCHEMES: [SignScheme; 4] =
    [SignScheme::RsaPkcs, SignScheme::RsaPss, SignScheme::Ecdsa, SignScheme::Dsa];

#[test]
fn openssl_verifies_every_signature_and_its_own_are_accepted() {
    let desk = Desk::new();
    desk.write("message", b"to be signed");
    for pair in KINDS.map(|kind| desk.pair(kind)) {
        desk.write("private", &pair.private);
        desk.write("public", &pair.public);
        for (mechanism, name) in mechanisms(|scheme| fits(pair.kind, scheme)) {
            let case = format!("{:?} {mechanism:?}", pair.kind);
            let hash = desk.openssl(&format!("dgst -{name} -binary message"));
            let options = options(mechanism.scheme);

            let signature = sign(&pair.private, mechanism, &hash).unwrap();
            desk.write("signature", &signature);
            let check =
                format!("dgst -{name} -keyform DER -verify public -signature signature {options} message");
            assert_eq!(desk.openssl(&check), b"Verified OK\n", "{case}");
            assert_eq!(verify(&pair.public, mechanism, &hash, &signature), Ok(()), "{case}");

            let theirs = desk.openssl(&format!("dgst -{name} -keyform DER -sign private {options} message"));
            assert_eq!(verify(&pair.public, mechanism, &hash, &theirs), Ok(()), "{case}");
            for altered in altered(&theirs) {
                let verified = verify(&pair.public, mechanism, &hash, &altered);
                assert_eq!(verified, Err(NotVerified::Wrong), "{case}");
            }
            let other = vec![7; hash.len()];
            assert_eq!(verify(&pair.public, mechanism, &other, &theirs), Err(NotVerified::Wrong), "{case}");
        }
    }
}

fn mechanisms(fits: impl Fn(SignScheme) -> bool) -> Vec<(SignMechanism, &'static str)> {
    let schemes = SCHEMES.into_iter().filter(|scheme| fits(*scheme));
    let with = |scheme| HASHES.map(|(hash, name)| (SignMechanism { scheme, hash }, name));
    schemes.flat_map(with).collect()
}

fn fits(kind: Kind, scheme: SignScheme) -> bool {
    match scheme {
        SignScheme::RsaPkcs | SignScheme::RsaPss => kind.key_type == KeyType::Rsa,
        SignScheme::Ecdsa => kind.key_type == KeyType::Ec,
        SignScheme::Dsa => kind.key_type == KeyType::Dsa,
    }
}

fn options(scheme: SignScheme) -> &'static str {
    match scheme {
        SignScheme::RsaPss => "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest",
        SignScheme::RsaPkcs | SignScheme::Ecdsa | SignScheme::Dsa => "",
    }
}

/// With one bit changed, cut, followed by something, and nothing at all.
fn altered(signature: &[u8]) -> Vec<Vec<u8>> {
    let flipped = |at: usize| {
        let mut altered = signature.to_vec();
        altered[at] ^= 1;
        altered
    };
    let end = signature.len() - 1;
    let longer = [signature, &[0]].concat();
    vec![
        flipped(0),
        flipped(end / 2),
        flipped(end),
        signature[..end].to_vec(),
        longer,
        Vec::new(),
        vec![0; end],
    ]
}

#[test]
fn a_mechanism_for_another_kind_of_key_is_unfit() {
    let desk = Desk::new();
    for pair in [RSA_2048, P256].map(|kind| desk.pair(kind)) {
        for (mechanism, _) in mechanisms(|scheme| !fits(pair.kind, scheme)) {
            let hash = vec![7; mechanism.hash.bytes()];
            assert_eq!(sign(&pair.private, mechanism, &hash), Err(Unfit), "{:?} {mechanism:?}", pair.kind);
            let verified = verify(&pair.public, mechanism, &hash, &[7; 256]);
            assert_eq!(verified, Err(NotVerified::Unfit(Unfit)), "{:?} {mechanism:?}", pair.kind);
        }
        for (mechanism, _) in mechanisms(|scheme| fits(pair.kind, scheme)) {
            for length in [0, mechanism.hash.bytes() - 1, mechanism.hash.bytes() + 1] {
                assert_eq!(sign(&pair.private, mechanism, &vec![7; length]), Err(Unfit));
                let verified = verify(&pair.public, mechanism, &vec![7; length], &[7; 256]);
                assert_eq!(verified, Err(NotVerified::Unfit(Unfit)));
            }
        }
    }
}

#[test]
fn a_signature_by_another_key_or_with_another_hash_function_is_wrong() {
    let desk = Desk::new();
    let [pair, other] = [RSA_2048, RSA_2048].map(|kind| desk.pair(kind));
    for scheme in [SignScheme::RsaPkcs, SignScheme::RsaPss] {
        for (mechanism, _) in mechanisms(|each| each == scheme) {
            let hash = vec![7; mechanism.hash.bytes()];
            let signature = sign(&pair.private, mechanism, &hash).unwrap();
            assert_eq!(verify(&other.public, mechanism, &hash, &signature), Err(NotVerified::Wrong));
            for (second, _) in mechanisms(|_| true).into_iter().filter(|(second, _)| *second != mechanism) {
                let hash = vec![7; second.hash.bytes()];
                assert!(verify(&pair.public, second, &hash, &signature).is_err(), "{mechanism:?} {second:?}");
            }
        }
    }
}

/// Two numbers in DER, as DSA and ECDSA sign.
fn numbers(r: &[u8], s: &[u8]) -> Vec<u8> {
    let number = |bytes: &[u8]| [&[2, 0x82], two_bytes(bytes.len()).as_slice(), bytes].concat();
    let both = [number(r), number(s)].concat();
    [&[0x30, 0x82], two_bytes(both.len()).as_slice(), &both].concat()
}

fn two_bytes(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap().to_be_bytes()
}

#[test]
fn numbers_that_no_signature_has_are_wrong() {
    let desk = Desk::new();
    let long = vec![0x11; 300];
    for (kind, scheme) in [(DSA_2048, SignScheme::Dsa), (P256, SignScheme::Ecdsa)] {
        let Pair { public, .. } = desk.pair(kind);
        let mechanism = SignMechanism { scheme, hash: Hash::Sha256 };
        for r in [&[][..], &[0], &[1], &[0xff], &long, &[0x7f; 32]] {
            for s in [&[][..], &[0], &[1], &[0xff], &long, &[0x7f; 32]] {
                let verified = verify(&public, mechanism, &[7; 32], &numbers(r, s));
                assert_eq!(verified, Err(NotVerified::Wrong), "{scheme:?} {r:?} {s:?}");
            }
        }
    }
}

#[test]
fn any_bytes_are_a_wrong_signature() {
    let desk = Desk::new();
    let pairs = [RSA_2048, P256, DSA_2048].map(|kind| desk.pair(kind));
    proptest!(|(bytes in prop::collection::vec(any::<u8>(), 0..300), hash in any::<[u8; 20]>())| {
        for pair in &pairs {
            for (mechanism, _) in mechanisms(|scheme| fits(pair.kind, scheme)) {
                if mechanism.hash == Hash::Sha1 {
                    prop_assert_eq!(verify(&pair.public, mechanism, &hash, &bytes), Err(NotVerified::Wrong));
                }
            }
        }
    });
}
