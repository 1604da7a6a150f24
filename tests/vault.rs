//! The HSM's cryptography against openssl: key check values, pairs, and values that come back as they went in.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use cloudhsm::hsm::{Copied, CopiedKey, NewKey};
use cloudhsm::hsmd::keeping::vault::{Family, Vault, random_key};
use cloudhsm::protocol::Refusal;
use cloudhsm::protocol::key::{
    Curve, Hash, KeyClass, KeyHandle, KeySpec, KeyType, SignMechanism, SignScheme,
};
use cloudhsm::protocol::user::UserType;
use data_encoding::HEXLOWER;
use tempfile::TempDir;
use zeroize::Zeroizing;

const SECRETS: [(KeySpec, &str); 4] = [
    (KeySpec::Aes { bytes: 16 }, "-aes-128-ecb"),
    (KeySpec::Aes { bytes: 24 }, "-aes-192-ecb"),
    (KeySpec::Aes { bytes: 32 }, "-aes-256-ecb"),
    (KeySpec::TripleDes, "-des-ede3"),
];

const PAIRS: [KeySpec; 7] = [
    KeySpec::Rsa { bits: 2048 },
    KeySpec::Rsa { bits: 3072 },
    KeySpec::Rsa { bits: 4096 },
    KeySpec::Ec(Curve::P256),
    KeySpec::Ec(Curve::P384),
    KeySpec::Ec(Curve::P521),
    KeySpec::Ec(Curve::Secp256k1),
];

#[test]
fn the_check_value_of_a_secret_key_is_openssls_encryption_of_zeros() {
    let (vault, folder) = (vault(&Family::new().unwrap()), tempfile::tempdir().unwrap());
    let zeros = folder.path().join("zeros");
    fs::write(&zeros, [0; 16]).unwrap();
    for (spec, cipher) in SECRETS {
        let key = made(&vault, spec).pop().unwrap();
        let hex: String =
            vault.value(&key.material).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        let encrypted = openssl(&folder, &["enc", cipher, "-K", &hex, "-nopad", "-in", text(&zeros)]);
        assert_eq!(key.attributes.kcv.unwrap(), encrypted[..3], "{spec:?}");
        assert_eq!(key.attributes.value_len as usize * 2, hex.len(), "{spec:?}");
    }
    let generic = made(&vault, KeySpec::GenericSecret { bytes: 77 }).pop().unwrap();
    assert_eq!((generic.attributes.kcv, generic.attributes.value_len), (None, 77));
}

#[test]
fn openssl_knows_both_halves_of_a_pair() {
    let (vault, folder) = (vault(&Family::new().unwrap()), tempfile::tempdir().unwrap());
    for spec in PAIRS {
        let [public, private] = <[NewKey; 2]>::try_from(made(&vault, spec)).ok().unwrap();
        let (public_der, private_der) = (folder.path().join("public"), folder.path().join("private"));
        fs::write(&public_der, vault.value(&public.material).unwrap().as_slice()).unwrap();
        fs::write(&private_der, vault.value(&private.material).unwrap().as_slice()).unwrap();
        let derived = openssl(
            &folder,
            &["pkey", "-inform", "DER", "-in", text(&private_der), "-pubout", "-outform", "DER"],
        );
        assert_eq!(derived, fs::read(&public_der).unwrap(), "{spec:?}");
        let digest = openssl(&folder, &["dgst", "-sha1", "-binary", text(&public_der)]);
        assert_eq!(public.attributes.kcv.unwrap(), digest[..3], "{spec:?}");
        assert_eq!(private.attributes.kcv, public.attributes.kcv);
        let modulus = public.attributes.modulus.unwrap();
        assert!(derived.windows(modulus.len()).any(|part| part == modulus), "{spec:?}");
        signs_and_verifies(&folder, &private_der, &public_der);
    }
}

#[test]
fn openssl_verifies_what_a_key_of_the_hsm_has_signed() {
    let (vault, folder) = (vault(&Family::new().unwrap()), tempfile::tempdir().unwrap());
    let path = |name: &str| folder.path().join(name);
    fs::write(path("message"), "to be signed").unwrap();
    for spec in PAIRS {
        let [public, private] = <[NewKey; 2]>::try_from(made(&vault, spec)).ok().unwrap();
        fs::write(path("public"), vault.value(&public.material).unwrap().as_slice()).unwrap();
        for (hash, name) in HASHES {
            let digest = openssl(&folder, &["dgst", name, "-binary", "message"]);
            for scheme in [SignScheme::RsaPkcs, SignScheme::RsaPss, SignScheme::Ecdsa, SignScheme::Dsa] {
                let mechanism = SignMechanism { scheme, hash };
                let signed = vault.sign(&private.material, mechanism, &digest);
                if !fits(spec, mechanism) {
                    assert_eq!(signed.err(), Some(Refusal::KeyUnfit), "{spec:?} {mechanism:?}");
                    continue;
                }
                fs::write(path("signature"), signed.unwrap()).unwrap();
                let pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"];
                let options = if scheme == SignScheme::RsaPss { &pss[..] } else { &[] };
                let verify =
                    ["dgst", name, "-keyform", "DER", "-verify", "public", "-signature", "signature"];
                let verified = openssl(&folder, &[&verify[..], options, &["message"]].concat());
                assert_eq!(verified, b"Verified OK\n", "{spec:?} {mechanism:?}");
            }
        }
    }
}

const HASHES: [(Hash, &str); 5] = [
    (Hash::Sha1, "-sha1"),
    (Hash::Sha224, "-sha224"),
    (Hash::Sha256, "-sha256"),
    (Hash::Sha384, "-sha384"),
    (Hash::Sha512, "-sha512"),
];

fn fits(spec: KeySpec, mechanism: SignMechanism) -> bool {
    match spec {
        KeySpec::Rsa { .. } | KeySpec::RsaWithExponent { .. } => {
            matches!(mechanism.scheme, SignScheme::RsaPkcs | SignScheme::RsaPss)
        }
        KeySpec::Ec(_) => mechanism.scheme == SignScheme::Ecdsa,
        KeySpec::Dsa { .. } => mechanism.scheme == SignScheme::Dsa,
        KeySpec::Aes { .. } | KeySpec::GenericSecret { .. } | KeySpec::TripleDes => false,
    }
}

fn signs_and_verifies(folder: &TempDir, private: &Path, public: &Path) {
    let signature = folder.path().join("signature");
    let (sign, key) = (["dgst", "-sha256", "-keyform", "DER", "-sign"], text(private));
    openssl(folder, &[&sign[..], &[key, "-out", text(&signature), text(public)]].concat());
    let verify = ["dgst", "-sha256", "-keyform", "DER", "-verify", text(public), "-signature"];
    let verified = openssl(folder, &[&verify[..], &[text(&signature), text(public)]].concat());
    assert_eq!(verified, b"Verified OK\n");
}

#[test]
fn every_kind_of_key_travels_within_its_family_and_nowhere_else() {
    let family = Family::new().unwrap();
    let (here, there) = (vault(&family), vault(&family));
    let stranger = vault(&Family::new().unwrap());
    let all = SECRETS.map(|(spec, _)| spec).into_iter().chain(PAIRS);
    let more = [
        KeySpec::GenericSecret { bytes: 1 },
        KeySpec::GenericSecret { bytes: 3584 },
        KeySpec::RsaWithExponent { bits: 2048, exponent: 65539 },
        KeySpec::Dsa { bits: 2048 },
    ];
    for spec in all.chain(more) {
        for key in made(&here, spec) {
            let object = here.mask(copied(&key)).unwrap();
            let Ok(Copied::Key(arrived)) = there.unmask(&object) else { panic!("{spec:?}") };
            assert_eq!(there.value(&arrived.material).unwrap(), here.value(&key.material).unwrap());
            assert!(arrived.material.fingerprint == key.material.fingerprint);
            assert!(arrived.material.wrapped != key.material.wrapped, "each HSM has its own master key");
            assert!(there.value(&key.material).is_err(), "each HSM has its own master key");
            assert_eq!(stranger.unmask(&object).err(), Some(Refusal::MaskedObjectForeign));
        }
    }
}

/// Made by the first release: a private key, which needs approvals.
#[test]
fn an_object_of_the_first_release_still_opens() {
    let family = Family { id: [1; 16], masking_key: Zeroizing::new([2; 32]) };
    let vault = Vault::new(&Zeroizing::new([3; 32]), &family).unwrap();
    let object = "4348534d4f424a31010101010101010101010101010101015725d65dc73bd2fb611e0700ff17f0fbe5c6a794c8651e5c\
        4145707133e7d9dea72769f3b471aed788cc1cf9f9d0e36c3268c614b320e36e2f0d112f5c1df09784436ba5a80982ef\
        34c911bff3486e710aa95cc853fd3e0ef4acc80d131b9d3b3c725f675366ee86f5dc3c1097683b6e23d0dad17dc71d9b\
        b943c5627550caadb0e47ad07e45a0dfdc0a7291590a0c9c86fd50e23e9501e944885731be2cab0dcdd37ff98b743c7b\
        975c5615a6789e277b42876dcc3246fa0d77ace33dd02b48fb1a13dc42850ac1e62a7c49c4b0e20f38318a957a4d428f\
        74e6920a38e0421434fa5a6afe1bede6bd098c197deed55595ca8037a14459d6836d818419ddc3ce7fe976a098a00dd9\
        a0dee062a7ea0effd009671665ed203e036d475175ede48833730c55460a19e10603f51191ac7c0e78769b7d494f694f\
        78a4670595f50211206627f9de2a0f275aad63e6cc7432dd716b80234eec";
    let value = "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b02010104206984940510f876113bc4455c\
        29d74a17b02623fedab6a84c058d4d763b4435cba144034200044e2a35a2daec66f53ceb5d4fc1f19de436aee80bbcfb\
        c84ffed02de5b3d5e92bf0996f9a4a19e271cc8f2211eb4cd2af36fac6a9f150cfab0a2259dc2fed718e";
    let Ok(Copied::Key(key)) = vault.unmask(&HEXLOWER.decode(object.as_bytes()).unwrap()) else { panic!() };
    assert_eq!(HEXLOWER.encode(&vault.value(&key.material).unwrap()), value);
    assert_eq!((key.attributes.class, key.attributes.key_type), (KeyClass::Private, KeyType::Ec));
    assert_eq!((key.handle, key.m_value, key.approved), (KeyHandle(6), 2, 3));
    assert_eq!(key.owner, (UserType::Cu, "alice".to_owned()));
}

#[test]
fn an_altered_or_cut_object_is_refused() {
    let vault = vault(&Family::new().unwrap());
    let key = made(&vault, KeySpec::Aes { bytes: 32 }).pop().unwrap();
    let object = vault.mask(copied(&key)).unwrap();
    for at in 0..object.len() {
        for bit in 0..8 {
            let mut altered = object.clone();
            altered[at] ^= 1 << bit;
            assert!(vault.unmask(&altered).is_err(), "byte {at}, bit {bit}");
        }
        assert_eq!(vault.unmask(&object[..at]).err(), Some(Refusal::MaskedObjectInvalid), "cut at {at}");
    }
}

fn vault(family: &Family) -> Vault {
    Vault::new(&random_key().unwrap(), family).unwrap()
}

fn made(vault: &Vault, spec: KeySpec) -> Vec<NewKey> {
    vault.generate(spec).unwrap()
}

fn copied(key: &NewKey) -> Copied {
    Copied::Key(CopiedKey {
        handle: KeyHandle(6),
        attributes: key.attributes.clone(),
        material: key.material.clone(),
        owner: (UserType::Cu, "alice".to_owned()),
        shared_with: vec![(UserType::Cu, "bob".to_owned())],
        m_value: 0,
        approved: 0,
    })
}

fn openssl(folder: &TempDir, arguments: &[&str]) -> Vec<u8> {
    let done = Command::new("openssl").args(arguments).current_dir(folder.path()).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {done:?}");
    done.stdout
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
