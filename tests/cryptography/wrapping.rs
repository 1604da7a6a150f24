//! Wrapping.

use cloudhsm::hsmd::cryptography::keys;
use cloudhsm::hsmd::cryptography::wrapping::{
    NotUnwrapped, NotWrapped, WrappedValue, WrappingKey, unwrap, unwrap_key, wrap,
};
use cloudhsm::protocol::key::{Hash, KeyClass, KeyType};
use cloudhsm::protocol::wrapping::{Gcm, TagLength, WrapMechanism};
use proptest::prelude::*;

use crate::desk::{Desk, KINDS, Pair, RSA_2048, hex};

const HASHES: [(Hash, &str); 5] = [
    (Hash::Sha1, "sha1"),
    (Hash::Sha224, "sha224"),
    (Hash::Sha256, "sha256"),
    (Hash::Sha384, "sha384"),
    (Hash::Sha512, "sha512"),
];

const KEKS: [&[u8]; 3] = [&[0x3c; 16], &[0x4d; 24], &[0x5e; 32]];

#[test]
fn aes_key_wrap_is_openssls() {
    let desk = Desk::new();
    for kek in KEKS {
        let (bits, key) = (kek.len() * 8, hex(kek));
        for length in [8, 15, 16, 17, 24, 32, 40, 1217, 2400] {
            let value = vec![0xa7; length];
            let padding = 8 - length % 8;
            let padded = [value.as_slice(), &vec![u8::try_from(padding).unwrap(); padding]].concat();
            let plain = format!("id-aes{bits}-wrap -K {key} -iv A6A6A6A6A6A6A6A6");
            let with_padding = format!("id-aes{bits}-wrap-pad -K {key} -iv A65959A6");
            let mut cases = vec![
                (WrapMechanism::AesWrapPkcs5, padded, &plain),
                (WrapMechanism::AesWrapPad, value.clone(), &with_padding),
            ];
            if length % 8 == 0 && length > 8 {
                cases.push((WrapMechanism::AesWrap, value.clone(), &plain));
            }
            for (mechanism, wrapped_by_openssl, cipher) in cases {
                desk.write("value", &wrapped_by_openssl);
                let theirs = desk.openssl(&format!("enc -e -{cipher} -in value"));
                let ours = wrap(&mechanism, WrappingKey::Aes(kek), &value).unwrap();
                assert_eq!(ours, apart(theirs, &[]), "{mechanism:?} {bits} {length}");
                assert_eq!(*unwrap(&mechanism, WrappingKey::Aes(kek), &ours).unwrap(), value);
            }
        }
    }
}

fn apart(bytes: Vec<u8>, iv: &[u8]) -> WrappedValue {
    WrappedValue { bytes, iv: iv.to_vec() }
}

#[test]
fn rsa_encryption_is_openssls() {
    let desk = Desk::new();
    for pair in KINDS.iter().filter(|kind| kind.key_type == KeyType::Rsa).map(|kind| desk.pair(*kind)) {
        desk.write("private", &pair.private);
        desk.write("public", &pair.public);
        let (wrapping, unwrapping) = both(&pair);
        let oaep = HASHES.map(|(hash, name)| {
            (
                WrapMechanism::RsaOaep(hash),
                format!("-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:{name}"),
            )
        });
        let pkcs1 = (WrapMechanism::RsaPkcs, "-pkeyopt rsa_padding_mode:pkcs1".to_owned());
        for (mechanism, options) in oaep.into_iter().chain([pkcs1]) {
            for value in [vec![0], vec![0x77; 16], vec![0; 32], vec![0x99; 100]] {
                desk.write("value", &value);
                let words = format!("-encrypt -pubin -inkey public {options} -in value");
                let theirs = desk.openssl(&format!("pkeyutl -keyform DER {words}"));
                assert_eq!(
                    *unwrap(&mechanism, unwrapping, &apart(theirs, &[])).unwrap(),
                    value,
                    "{mechanism:?}"
                );
                let ours = wrap(&mechanism, wrapping, &value).unwrap();
                assert_eq!((ours.bytes.len(), ours.iv.len()), (modulus(&pair), 0));
                desk.write("wrapped", &ours.bytes);
                let words = format!("-decrypt -inkey private {options} -in wrapped");
                assert_eq!(desk.openssl(&format!("pkeyutl -keyform DER {words}")), value, "{mechanism:?}");
            }
        }
    }
}

fn modulus(pair: &Pair) -> usize {
    usize::try_from(pair.kind.bits.div_ceil(8)).unwrap()
}

fn both(pair: &Pair) -> (WrappingKey<'_>, WrappingKey<'_>) {
    (WrappingKey::RsaPublic(&pair.public), WrappingKey::RsaPrivate(&pair.private))
}

/// PKCS #11, `CKM_RSA_AES_KEY_WRAP`: first the AES key by OAEP, then the value by AES key wrap with padding.
#[test]
fn rsa_with_aes_is_what_two_openssls_make() {
    let desk = Desk::new();
    let pair = desk.pair(RSA_2048);
    desk.write("private", &pair.private);
    desk.write("public", &pair.public);
    let (wrapping, unwrapping) = both(&pair);
    for (hash, name) in HASHES {
        let oaep = format!("-keyform DER -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:{name}");
        let mechanism = WrapMechanism::RsaAes(hash);
        let value = vec![0x42; 1217];
        desk.write("value", &value);
        let between = [0x24; 32];
        desk.write("between", &between);
        let first = desk.openssl(&format!("pkeyutl {oaep} -encrypt -pubin -inkey public -in between"));
        let cipher = |key: &[u8]| format!("-id-aes256-wrap-pad -K {} -iv A65959A6", hex(key));
        let second = desk.openssl(&format!("enc -e {} -in value", cipher(&between)));
        let theirs = apart([first, second].concat(), &[]);
        assert_eq!(*unwrap(&mechanism, unwrapping, &theirs).unwrap(), value, "{name}");

        let ours = wrap(&mechanism, wrapping, &value).unwrap();
        let (first, second) = ours.bytes.split_at(256);
        desk.write("first", first);
        desk.write("second", second);
        let between = desk.openssl(&format!("pkeyutl {oaep} -decrypt -inkey private -in first"));
        assert_eq!(desk.openssl(&format!("enc -d {} -in second", cipher(&between))), value, "{name}");
    }
}

#[test]
fn values_too_long_for_rsa_and_keys_that_do_not_fit_are_refused() {
    let desk = Desk::new();
    let pair = desk.pair(RSA_2048);
    let (wrapping, unwrapping) = both(&pair);
    let mut limits =
        HASHES.map(|(hash, _)| (WrapMechanism::RsaOaep(hash), 256 - 2 * hash.bytes() - 2)).to_vec();
    limits.push((WrapMechanism::RsaPkcs, 256 - 11));
    for (mechanism, most) in limits {
        let value = vec![3; most + 1];
        let wrapped = wrap(&mechanism, wrapping, &value[..most]).unwrap();
        assert_eq!(*unwrap(&mechanism, unwrapping, &wrapped).unwrap(), value[..most]);
        assert_eq!(wrap(&mechanism, wrapping, &value), Err(NotWrapped::LengthUnfit), "{mechanism:?}");
        assert_eq!(wrap(&mechanism, wrapping, &[]), Err(NotWrapped::LengthUnfit), "{mechanism:?}");
    }
    let keys = [WrappingKey::Aes(KEKS[0]), wrapping, unwrapping];
    for mechanism in mechanisms() {
        let fitting = if mechanism.key_type() == KeyType::Aes { (0, 0) } else { (1, 2) };
        for (at, key) in keys.into_iter().enumerate() {
            assert_eq!(wrap(&mechanism, key, &[7; 32]).is_ok(), at == fitting.0, "{mechanism:?} {at}");
            let wrapped = wrap(&mechanism, keys[fitting.0], &[7; 32]).unwrap();
            assert_eq!(unwrap(&mechanism, key, &wrapped).is_ok(), at == fitting.1, "{mechanism:?} {at}");
        }
        let garbage = [WrappingKey::Aes(&[1; 20]), WrappingKey::RsaPublic(&[1; 20])];
        assert!(garbage.into_iter().all(|key| wrap(&mechanism, key, &[7; 32]) == Err(NotWrapped::KeyUnfit)));
    }
}

fn mechanisms() -> Vec<WrapMechanism> {
    let gcm = |bytes| Gcm { aad: b"for audit".to_vec(), tag: TagLength::try_from(bytes).unwrap() };
    let mut all = vec![
        WrapMechanism::AesWrapPkcs5,
        WrapMechanism::AesWrap,
        WrapMechanism::AesWrapPad,
        WrapMechanism::RsaPkcs,
    ];
    all.extend(HASHES.map(|(hash, _)| WrapMechanism::RsaAes(hash)));
    all.extend(HASHES.map(|(hash, _)| WrapMechanism::RsaOaep(hash)));
    for bytes in TagLength::RANGE {
        all.extend([WrapMechanism::AesGcm(gcm(bytes)), WrapMechanism::CloudHsmAesGcm(gcm(bytes))]);
    }
    all
}

/// All keys under all keys, as wrapKey and unWrapKey do it.
#[test]
fn every_kind_of_key_is_wrapped_and_comes_back_equal() {
    let desk = Desk::new();
    let rsa = desk.pair(RSA_2048);
    let mut values: Vec<(KeyClass, KeyType, Vec<u8>)> = KINDS
        .map(|kind| (KeyClass::Private, kind.key_type, desk.pair(kind).private))
        .into_iter()
        .map(|(class, kind, pkcs8)| (class, kind, keys::private(kind, &pkcs8).unwrap().value.to_vec()))
        .collect();
    values.extend([16, 24, 32].map(|length| (KeyClass::Secret, KeyType::Aes, vec![8; length])));
    values.push((KeyClass::Secret, KeyType::TripleDes, (1..25).collect()));
    values.extend([8, 9, 64].map(|length| (KeyClass::Secret, KeyType::GenericSecret, vec![6; length])));
    for mechanism in mechanisms() {
        for (class, kind, value) in &values {
            let is_aes = mechanism.key_type() == KeyType::Aes;
            let aes = (WrappingKey::Aes(KEKS[2]), WrappingKey::Aes(KEKS[2]));
            let (wrapping, unwrapping) = if is_aes { aes } else { both(&rsa) };
            let Ok(wrapped) = wrap(&mechanism, wrapping, value) else {
                assert!(!is_aes || mechanism == WrapMechanism::AesWrap, "{mechanism:?} {kind:?}");
                continue;
            };
            let key = unwrap_key(&mechanism, unwrapping, &wrapped, (*class, *kind)).unwrap();
            assert_eq!(*key.value, *value, "{mechanism:?} {kind:?}");
            assert_eq!((key.attributes.class, key.attributes.key_type), (*class, *kind));
            assert!(!key.attributes.local && !key.attributes.always_sensitive);
            let as_public = unwrap_key(&mechanism, unwrapping, &wrapped, (KeyClass::Public, *kind));
            assert_eq!(as_public.err(), Some(NotUnwrapped));
            let wrong = if *kind == KeyType::Rsa { KeyType::Ec } else { KeyType::Rsa };
            let as_other = unwrap_key(&mechanism, unwrapping, &wrapped, (KeyClass::Private, wrong));
            assert_eq!(as_other.err(), Some(NotUnwrapped));
        }
    }
}

#[test]
fn an_iv_is_where_the_mechanism_has_it() {
    let key = WrappingKey::Aes(KEKS[1]);
    let value = [1; 32];
    let gcm = Gcm { aad: Vec::new(), tag: TagLength::default() };
    let (apart_mechanism, in_front) =
        (WrapMechanism::AesGcm(gcm.clone()), WrapMechanism::CloudHsmAesGcm(gcm));
    let wrapped = wrap(&apart_mechanism, key, &value).unwrap();
    assert_eq!((wrapped.iv.len(), wrapped.bytes.len()), (12, 48));
    let joined = apart([wrapped.iv.as_slice(), &wrapped.bytes].concat(), &[]);
    assert_eq!(*unwrap(&in_front, key, &joined).unwrap(), value);
    assert_ne!(wrap(&apart_mechanism, key, &value).unwrap().iv, wrapped.iv);
    for iv in [&[][..], &wrapped.iv[..11], &[0; 12], &[0; 16]] {
        let other = apart(wrapped.bytes.clone(), iv);
        assert_eq!(unwrap(&apart_mechanism, key, &other), Err(NotUnwrapped), "{iv:?}");
    }
    for mechanism in
        [in_front, WrapMechanism::AesWrap, WrapMechanism::AesWrapPad, WrapMechanism::AesWrapPkcs5]
    {
        let wrapped = wrap(&mechanism, key, &value).unwrap();
        assert!(wrapped.iv.is_empty());
        assert_eq!(unwrap(&mechanism, key, &apart(wrapped.bytes, &[0; 12])), Err(NotUnwrapped));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn what_aes_wraps_comes_back_and_nothing_altered_does(
        mechanism in prop::sample::select(mechanisms()),
        kek in prop::sample::select(KEKS.to_vec()),
        blocks in prop::collection::vec(any::<[u8; 8]>(), 2..40),
        at in any::<prop::sample::Index>(),
        bit in 0..8u32,
        cut in any::<prop::sample::Index>(),
    ) {
        prop_assume!(mechanism.key_type() == KeyType::Aes);
        let (key, value) = (WrappingKey::Aes(kek), blocks.concat());
        let wrapped = wrap(&mechanism, key, &value).unwrap();
        prop_assert_eq!(&*unwrap(&mechanism, key, &wrapped).unwrap(), &value);
        let mut altered = wrapped.clone();
        let at = at.index(altered.bytes.len());
        altered.bytes[at] ^= 1 << bit;
        prop_assert_eq!(unwrap(&mechanism, key, &altered), Err(NotUnwrapped));
        let cut = apart(wrapped.bytes[..cut.index(wrapped.bytes.len())].to_vec(), &wrapped.iv);
        prop_assert_eq!(unwrap(&mechanism, key, &cut), Err(NotUnwrapped));
        let another = vec![0x99; kek.len()];
        prop_assert_eq!(unwrap(&mechanism, WrappingKey::Aes(&another), &wrapped), Err(NotUnwrapped));
        for other in mechanisms().into_iter().filter(|other| *other != mechanism) {
            let unwrapped = unwrap(&other, key, &wrapped);
            // A value may end as PKCS #5 pads.
            prop_assert!(unwrapped.is_err() || other == WrapMechanism::AesWrapPkcs5
                || mechanism == WrapMechanism::AesWrapPkcs5, "{:?}", other);
        }
    }
}

#[test]
fn what_rsa_wraps_comes_back_and_nothing_altered_does() {
    let desk = Desk::new();
    let [pair, another] = [RSA_2048, RSA_2048].map(|kind| desk.pair(kind));
    let value = [0x31; 32];
    for mechanism in mechanisms().into_iter().filter(|each| each.key_type() == KeyType::Rsa) {
        let (wrapping, unwrapping) = both(&pair);
        let wrapped = wrap(&mechanism, wrapping, &value).unwrap();
        assert_eq!(*unwrap(&mechanism, unwrapping, &wrapped).unwrap(), value);
        assert_ne!(wrap(&mechanism, wrapping, &value).unwrap(), wrapped, "random");
        // PKCS #1 v1.5 takes one of about 65000 altered values for another one.
        let step = if mechanism == WrapMechanism::RsaPkcs { 200 } else { 9 };
        for at in (0..wrapped.bytes.len()).step_by(step) {
            let mut altered = wrapped.clone();
            altered.bytes[at] ^= 1;
            assert_eq!(unwrap(&mechanism, unwrapping, &altered), Err(NotUnwrapped), "{mechanism:?} {at}");
        }
        for end in [0, 1, 255, wrapped.bytes.len() - 1] {
            let cut = apart(wrapped.bytes[..end].to_vec(), &[]);
            assert_eq!(unwrap(&mechanism, unwrapping, &cut), Err(NotUnwrapped), "{mechanism:?} {end}");
        }
        let longer = apart([wrapped.bytes.as_slice(), &[0; 8]].concat(), &[]);
        assert_eq!(unwrap(&mechanism, unwrapping, &longer), Err(NotUnwrapped), "{mechanism:?}");
        assert_eq!(unwrap(&mechanism, both(&another).1, &wrapped), Err(NotUnwrapped), "{mechanism:?}");
    }
}
