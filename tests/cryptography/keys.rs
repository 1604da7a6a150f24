//! Keys that the HSM makes, and keys that it takes over.

use cloudhsm::hsmd::cryptography::keys::{Fresh, NotAKey, NotGenerated, generate, private, public, secret};
use cloudhsm::protocol::key::{Curve, KeyClass, KeySpec, KeyType};

use crate::desk::{Desk, KINDS, OTHERS, hex};

const fn rsa(bits: u32, exponent: u32) -> KeySpec {
    KeySpec::RsaWithExponent { bits, exponent }
}

const PAIRS: [KeySpec; 11] = [
    KeySpec::Rsa { bits: 2048 },
    KeySpec::Rsa { bits: 2304 },
    rsa(2048, 195_193),
    rsa(2816, 65_537),
    rsa(3072, 2_147_483_647),
    rsa(4096, 65_539),
    KeySpec::Ec(Curve::P256),
    KeySpec::Ec(Curve::P384),
    KeySpec::Ec(Curve::P521),
    KeySpec::Ec(Curve::Secp256k1),
    KeySpec::Dsa { bits: 2048 },
];

#[test]
fn openssl_reads_what_is_made_and_a_made_pair_can_be_given_again() {
    let desk = Desk::new();
    for spec in PAIRS {
        let [public_half, private_half] = <[Fresh; 2]>::try_from(generate(spec).unwrap()).ok().unwrap();
        desk.write("private", &private_half.value);
        // openssl checks DSA keys with what it alone writes into them.
        if !matches!(spec, KeySpec::Dsa { .. }) {
            desk.openssl("pkey -inform DER -in private -check -noout");
        }
        let derived = desk.openssl("pkey -inform DER -in private -pubout -outform DER");
        assert_eq!(derived, *public_half.value, "{spec:?}");
        let text = String::from_utf8(desk.openssl("pkey -inform DER -in private -noout -text")).unwrap();
        let (bits, exponent) = numbers(spec);
        assert!(text.contains(&format!("({bits} bit")), "{spec:?} {text}");
        assert!(text.contains(&exponent), "{spec:?} {text}");
        let key_type = private_half.attributes.key_type;
        let given = [public(&public_half.value).unwrap(), private(key_type, &private_half.value).unwrap()];
        for (made, given) in [public_half, private_half].iter().zip(&given) {
            assert_eq!(made.value, given.value, "{spec:?}");
            assert!(made.attributes.local && !given.attributes.local);
            assert_eq!(made.attributes.always_sensitive, made.attributes.class == KeyClass::Private);
            assert!(!given.attributes.always_sensitive && !given.attributes.never_extractable);
            let mut expected = made.attributes.clone();
            (expected.local, expected.always_sensitive) = (false, false);
            assert_eq!(given.attributes, expected, "{spec:?}");
        }
    }
}

fn numbers(spec: KeySpec) -> (u32, String) {
    match spec {
        KeySpec::Rsa { bits } => (bits, "publicExponent: 65537 ".to_owned()),
        KeySpec::RsaWithExponent { bits, exponent } => (bits, format!("publicExponent: {exponent} ")),
        KeySpec::Ec(Curve::P256 | Curve::Secp256k1) => (256, "ASN1 OID: ".to_owned()),
        KeySpec::Ec(Curve::P384) => (384, "ASN1 OID: secp384r1".to_owned()),
        KeySpec::Ec(Curve::P521) => (521, "ASN1 OID: secp521r1".to_owned()),
        KeySpec::Dsa { bits } => (bits, "pub:".to_owned()),
        KeySpec::Aes { .. } | KeySpec::GenericSecret { .. } | KeySpec::TripleDes => panic!("{spec:?}"),
    }
}

#[test]
fn sizes_and_exponents_that_the_original_does_not_offer_are_not_made() {
    let mut refused = vec![KeySpec::Dsa { bits: 1024 }, KeySpec::Dsa { bits: 3072 }];
    refused.extend([0, 1024, 1792, 2047, 2049, 4352, 8192].map(|bits| KeySpec::Rsa { bits }));
    refused.extend([0, 1792, 2049, 4352].map(|bits| rsa(bits, 195_193)));
    refused.extend([0, 1, 3, 65_535, 65_536, 65_538, 1 << 31, u32::MAX].map(|exponent| rsa(2048, exponent)));
    refused.extend([0, 15, 17, 33].map(|bytes| KeySpec::Aes { bytes }));
    refused.extend([0, 3585, u32::MAX].map(|bytes| KeySpec::GenericSecret { bytes }));
    for spec in refused {
        assert_eq!(generate(spec).err(), Some(NotGenerated), "{spec:?}");
    }
}

#[test]
fn pairs_that_openssl_made_come_in() {
    let desk = Desk::new();
    for pair in KINDS.map(|kind| desk.pair(kind)) {
        let (kind, key_type) = (pair.kind, pair.kind.key_type);
        let private_half = private(key_type, &pair.private).unwrap();
        let public_half = public(&pair.public).unwrap();
        assert_eq!(*public_half.value, pair.public, "{kind:?}");
        desk.write("private", &private_half.value);
        let derived = desk.openssl("pkey -inform DER -in private -pubout -outform DER");
        assert_eq!(derived, pair.public, "{kind:?}");
        assert_eq!(private(key_type, &private_half.value).unwrap().value, private_half.value, "{kind:?}");
        desk.write("public", &pair.public);
        let digest = desk.openssl("dgst -sha1 -binary public");
        for (half, class) in [(&private_half, KeyClass::Private), (&public_half, KeyClass::Public)] {
            let attributes = &half.attributes;
            assert_eq!((attributes.class, attributes.key_type), (class, key_type));
            assert_eq!(attributes.modulus_bits, Some(kind.bits), "{kind:?}");
            assert_eq!(attributes.kcv.unwrap(), digest[..3], "{kind:?}");
            let number = attributes.modulus.as_ref().unwrap();
            assert!(pair.public.windows(number.len()).any(|part| part == number), "{kind:?}");
            assert_eq!(attributes.sign, class == KeyClass::Private);
            assert_eq!(attributes.verify, class == KeyClass::Public);
            let wraps = key_type == KeyType::Rsa;
            assert_eq!(attributes.wrap, wraps && class == KeyClass::Public);
            assert_eq!(attributes.unwrap, wraps && class == KeyClass::Private);
        }
        assert_eq!(private_half.attributes.value_len, public_half.attributes.value_len);
        for wrong in [KeyType::Rsa, KeyType::Ec, KeyType::Dsa, KeyType::Aes, KeyType::GenericSecret] {
            let is_taken = private(wrong, &pair.private).is_ok();
            assert_eq!(is_taken, wrong == key_type, "{kind:?} as {wrong:?}");
        }
    }
}

#[test]
fn a_private_key_with_a_compressed_point_comes_in_and_a_public_one_does_not() {
    let desk = Desk::new();
    for curve in ["prime256v1", "secp384r1", "secp521r1", "secp256k1"] {
        desk.openssl(&format!("ecparam -genkey -noout -name {curve} -out long.pem"));
        desk.openssl("ec -in long.pem -conv_form compressed -out short.pem");
        let der = |name: &str| desk.openssl(&format!("pkcs8 -topk8 -nocrypt -in {name} -outform DER"));
        let (long, short) = (der("long.pem"), der("short.pem"));
        assert!(short.len() < long.len());
        let [long, short] = [long, short].map(|pkcs8| private(KeyType::Ec, &pkcs8).unwrap());
        assert_eq!((long.value, long.attributes), (short.value, short.attributes), "{curve}");
        let public_key = desk.openssl("ec -in short.pem -pubout -conv_form compressed -outform DER");
        assert_eq!(public(&public_key).err(), Some(NotAKey), "{curve}");
    }
}

#[test]
fn kinds_that_an_hsm_does_not_hold_stay_out() {
    let desk = Desk::new();
    for pair in OTHERS.map(|kind| desk.pair(kind)) {
        assert_eq!(private(pair.kind.key_type, &pair.private).err(), Some(NotAKey), "{:?}", pair.kind);
        assert_eq!(public(&pair.public).err(), Some(NotAKey), "{:?}", pair.kind);
    }
    for algorithm in ["ED25519", "X25519"] {
        desk.openssl(&format!("genpkey -algorithm {algorithm} -out other.pem"));
        let private_key = desk.openssl("pkcs8 -topk8 -nocrypt -in other.pem -outform DER");
        let public_key = desk.openssl("pkey -in other.pem -pubout -outform DER");
        assert_eq!(public(&public_key).err(), Some(NotAKey));
        for key_type in [KeyType::Rsa, KeyType::Ec, KeyType::Dsa] {
            assert_eq!(private(key_type, &private_key).err(), Some(NotAKey));
        }
    }
}

#[test]
fn secrets_come_in_byte_for_byte_with_openssls_check_value() {
    let desk = Desk::new();
    desk.write("zeros", &[0; 16]);
    let ciphers = [
        (KeyType::Aes, 16, "-aes-128-ecb"),
        (KeyType::Aes, 24, "-aes-192-ecb"),
        (KeyType::Aes, 32, "-aes-256-ecb"),
        (KeyType::TripleDes, 24, "-des-ede3"),
    ];
    for (key_type, length, cipher) in ciphers {
        let value: Vec<u8> = (0..length).map(|byte| byte * 7).collect();
        let key = secret(key_type, &value).unwrap();
        assert_eq!(*key.value, value);
        assert_eq!((key.attributes.value_len, key.attributes.local), (u32::from(length), false));
        let encrypted = desk.openssl(&format!("enc {cipher} -K {} -nopad -in zeros", hex(&value)));
        assert_eq!(key.attributes.kcv.unwrap(), encrypted[..3], "{cipher}");
    }
    for length in [1, 20, 3584] {
        let key = secret(KeyType::GenericSecret, &vec![5; length]).unwrap();
        assert_eq!((key.value.len(), key.attributes.kcv), (length, None));
    }
}

#[test]
fn secrets_of_other_lengths_and_types_stay_out() {
    for length in 0..36u8 {
        let value: Vec<u8> = (0..length).map(|byte| byte * 7).collect();
        let is_taken = |key_type| secret(key_type, &value).is_ok();
        assert_eq!(is_taken(KeyType::Aes), [16, 24, 32].contains(&length), "{length}");
        assert_eq!(is_taken(KeyType::TripleDes), length == 24, "{length}");
        assert_eq!(is_taken(KeyType::GenericSecret), length > 0, "{length}");
        assert!(![KeyType::Rsa, KeyType::Ec, KeyType::Dsa].into_iter().any(is_taken), "{length}");
    }
    assert_eq!(secret(KeyType::GenericSecret, &[5; 3585]).err(), Some(NotAKey));
    for third in [5, 7] {
        let single = [[5; 8], [7; 8], [third; 8]].concat();
        assert_eq!(secret(KeyType::TripleDes, &single).err(), Some(NotAKey), "two parts are equal");
    }
    let weak = [[5; 8], [7; 8], [1; 8]].concat();
    assert_eq!(secret(KeyType::TripleDes, &weak).err(), Some(NotAKey));
}
