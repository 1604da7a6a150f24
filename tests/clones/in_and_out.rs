//! Keys that leave one HSM and come into another, and what HSMs sign and say of them.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use cloudhsm::cluster::Failure;
use cloudhsm::crypto::sealing::Recipient;
use cloudhsm::protocol::attestation::{Attest, Statement};
use cloudhsm::protocol::attribute::{Attribute, ReadAttributes, SetAttribute, Value};
use cloudhsm::protocol::certificate::{CertificateKind, GetCertificate};
use cloudhsm::protocol::device::DescribePartition;
use cloudhsm::protocol::key::{
    CreatePublicKey, Curve, GenerateKey, Hash, KeyClass, KeyHandle, KeySpec, KeyType, Lifetime,
    PublicKeyInfo, ReadPublicKey, Sign, SignMechanism, SignScheme, Signature, Template, Verify,
};
use cloudhsm::protocol::wrap::{UnwrapHost, UnwrapKey, WrapHost, WrapKey, WrappedBytes};
use cloudhsm::protocol::wrapping::{Gcm, WrapMechanism};
use cloudhsm::protocol::{Refusal, SecretBytes};
use cloudhsm::wire::anchor::Anchor;

use crate::common::TestCluster;
use crate::region::{AES, Region};

const SPECS: [KeySpec; 9] = [
    KeySpec::Aes { bytes: 16 },
    KeySpec::Aes { bytes: 24 },
    KeySpec::TripleDes,
    KeySpec::GenericSecret { bytes: 3584 },
    KeySpec::Rsa { bits: 2048 },
    KeySpec::RsaWithExponent { bits: 2304, exponent: 65539 },
    KeySpec::Ec(Curve::Secp256k1),
    KeySpec::Ec(Curve::P521),
    KeySpec::Dsa { bits: 2048 },
];

/// Short enough for one RSA block.
const SHORT: KeySpec = KeySpec::GenericSecret { bytes: 20 };

#[tokio::test(flavor = "multi_thread")]
async fn a_key_wrapped_on_one_cluster_unwraps_on_another_that_has_the_wrapping_key() {
    let [one, other] = [TestCluster::start(1).await, TestCluster::start(1).await];
    let (mut one, mut other) = (crypto_user(&one).await, crypto_user(&other).await);
    let [here, there] = [import_aes(&mut one, 32).await, import_aes(&mut other, 32).await];
    for spec in SPECS {
        let handle = *one.generate(0, spec).await.last().unwrap();
        for mechanism in [WrapMechanism::AesWrapPkcs5, WrapMechanism::AesWrapPad, gcm(), cloudhsm_gcm()] {
            let wrapped = one.ask(0, WrapKey { handle, wrapping: here, mechanism: mechanism.clone() }).await;
            let before = one.ask(0, ReadAttributes { handle }).await.unwrap();
            let kind = (before.class, before.key_type);
            let copy = unwrap(&mut other, there, mechanism, wrapped.unwrap(), kind).await.unwrap();
            let after = other.ask(0, ReadAttributes { handle: copy }).await.unwrap();
            assert_eq!((after.kcv, &after.modulus), (before.kcv, &before.modulus), "{spec:?}");
            assert_eq!((after.value_len, after.public_exponent), (before.value_len, before.public_exponent));
            assert!(before.local && !after.local && !after.always_sensitive && !after.never_extractable);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_wraps_with_its_public_half_and_unwraps_with_the_other() {
    let cluster = TestCluster::start(1).await;
    let mut region = crypto_user(&cluster).await;
    let pair = region.generate(0, KeySpec::Rsa { bits: 2048 }).await;
    let handle = region.generate(0, SHORT).await[0];
    for mechanism in [
        WrapMechanism::RsaPkcs,
        WrapMechanism::RsaOaep(Hash::Sha1),
        WrapMechanism::RsaOaep(Hash::Sha512),
        WrapMechanism::RsaAes(Hash::Sha256),
    ] {
        let wrap = WrapKey { handle, wrapping: pair[0], mechanism: mechanism.clone() };
        let wrapped = region.ask(0, wrap.clone()).await.unwrap();
        let kind = (KeyClass::Secret, KeyType::GenericSecret);
        unwrap(&mut region, pair[1], mechanism.clone(), wrapped.clone(), kind).await.unwrap();
        let mistaken = unwrap(&mut region, pair[0], mechanism, wrapped, kind).await;
        assert_eq!(mistaken, refused(Refusal::KeyUnfit));
        let mistaken = region.ask(0, WrapKey { wrapping: pair[1], ..wrap }).await;
        assert_eq!(mistaken, refused(Refusal::KeyUnfit));
    }
    let long = region.generate(0, KeySpec::GenericSecret { bytes: 300 }).await[0];
    let wrap = WrapKey { handle: long, wrapping: pair[0], mechanism: WrapMechanism::RsaOaep(Hash::Sha256) };
    assert_eq!(region.ask(0, wrap).await, refused(Refusal::KeyUnfit), "too long");
}

/// The plaintext crosses neither the wire nor a log: only whoever asked can read the answer.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_out_is_what_went_in() {
    let cluster = TestCluster::start(1).await;
    let mut region = crypto_user(&cluster).await;
    let wrapping = session_key(&mut region).await;
    for (mechanism, length) in [(WrapMechanism::AesWrap, 64), (WrapMechanism::AesWrapPkcs5, 4095), (gcm(), 1)]
    {
        let value: Vec<u8> = (0..length).map(|byte: u16| byte.to_le_bytes()[0]).collect();
        let data = SecretBytes::new(value.clone().into());
        let wrapped = region.ask(0, WrapHost { wrapping, mechanism: mechanism.clone(), data }).await.unwrap();
        let read = decrypt(&mut region, wrapping, mechanism, wrapped).await.unwrap();
        assert_eq!(read.expose(), value);
    }
    for length in [0, 4096] {
        let data = SecretBytes::new(vec![1; length].into());
        let asked = region.ask(0, WrapHost { wrapping, mechanism: WrapMechanism::AesWrapPkcs5, data }).await;
        assert_eq!(asked, refused(Refusal::InvalidInput), "{length}");
    }
}

/// Otherwise two wrapped keys would give away how they differ, and one that is known, the other.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_iv_is_never_used_twice() {
    let cluster = TestCluster::start(1).await;
    let mut region = crypto_user(&cluster).await;
    let (wrapping, handle) = (region.generate(0, AES).await[0], region.generate(0, AES).await[0]);
    let mut ivs = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let wrapped = region.ask(0, WrapKey { handle, wrapping, mechanism: gcm() }).await.unwrap();
        ivs.insert(wrapped.iv);
        let inside = region.ask(0, WrapKey { handle, wrapping, mechanism: cloudhsm_gcm() }).await.unwrap();
        assert!(inside.iv.is_empty());
        ivs.insert(inside.bytes[..12].to_vec());
    }
    assert_eq!(ivs.len(), 40);
}

/// Nor is any other way of being wrong told apart.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_about_what_is_wrong_with_a_wrapped_key() {
    let cluster = TestCluster::start(1).await;
    let mut region = crypto_user(&cluster).await;
    let (wrapping, handle) = (region.generate(0, AES).await[0], region.generate(0, AES).await[0]);
    let pair = region.generate(0, KeySpec::Rsa { bits: 2048 }).await;
    for (wrapping, unwrapping, mechanism) in [
        (wrapping, wrapping, WrapMechanism::AesWrapPkcs5),
        (wrapping, wrapping, WrapMechanism::AesWrapPad),
        (wrapping, wrapping, cloudhsm_gcm()),
        (pair[0], pair[1], WrapMechanism::RsaOaep(Hash::Sha256)),
        (pair[0], pair[1], WrapMechanism::RsaAes(Hash::Sha256)),
    ] {
        let wrapped =
            region.ask(0, WrapKey { handle, wrapping, mechanism: mechanism.clone() }).await.unwrap();
        let mut bad = Vec::new();
        for at in [0, wrapped.bytes.len() / 2, wrapped.bytes.len() - 1] {
            let mut altered = wrapped.clone();
            altered.bytes[at] ^= 1;
            let mut cut = wrapped.clone();
            cut.bytes.truncate(at);
            bad.extend([altered, cut]);
        }
        for wrapped in bad {
            let kind = (KeyClass::Secret, KeyType::Aes);
            let told = unwrap(&mut region, unwrapping, mechanism.clone(), wrapped, kind).await;
            assert_eq!(told, refused(Refusal::WrappedKeyInvalid), "{mechanism:?}");
        }
        let kind = (KeyClass::Private, KeyType::Ec);
        let told = unwrap(&mut region, unwrapping, mechanism, wrapped, kind).await;
        assert_eq!(told, refused(Refusal::WrappedKeyInvalid));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_verified_with_the_public_half_wherever_that_is() {
    let [one, other] = [TestCluster::start(1).await, TestCluster::start(1).await];
    let (mut one, mut other) = (crypto_user(&one).await, crypto_user(&other).await);
    for (spec, scheme, hash) in [
        (KeySpec::Rsa { bits: 2048 }, SignScheme::RsaPkcs, Hash::Sha1),
        (KeySpec::Rsa { bits: 2048 }, SignScheme::RsaPss, Hash::Sha224),
        (KeySpec::Ec(Curve::P384), SignScheme::Ecdsa, Hash::Sha256),
        (KeySpec::Dsa { bits: 2048 }, SignScheme::Dsa, Hash::Sha256),
    ] {
        let (pair, mechanism) = (one.generate(0, spec).await, SignMechanism { scheme, hash });
        let hash = vec![7; hash.bytes()];
        let sign = Sign { handle: pair[1], mechanism, hash: hash.clone() };
        let Signature(signature) = one.ask(0, sign).await.unwrap();
        let key = one.ask(0, ReadPublicKey { handle: pair[0] }).await.unwrap();
        let (label, id, lifetime) = ("theirs".to_owned(), String::new(), Lifetime::Session);
        let handle = other.ask(0, CreatePublicKey { key, label, id, lifetime }).await.unwrap();
        let verify = Verify { handle, mechanism, hash, signature };
        assert_eq!(other.ask(0, verify.clone()).await, Ok(()));
        let mut wrong = verify.clone();
        wrong.hash[0] ^= 1;
        assert_eq!(other.ask(0, wrong).await, refused(Refusal::BadSignature));
        let short = Verify { hash: vec![7; 5], ..verify.clone() };
        assert_eq!(other.ask(0, short).await, refused(Refusal::InvalidInput));
        let private = Verify { handle: pair[1], ..verify };
        assert_eq!(one.ask(0, private).await, refused(Refusal::KeyUnfit));
    }
    let (label, id, lifetime) = (String::new(), String::new(), Lifetime::Token);
    let key = PublicKeyInfo(b"no key".to_vec());
    let taken = other.ask(0, CreatePublicKey { key, label, id, lifetime }).await;
    assert_eq!(taken, refused(Refusal::InvalidInput));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attestation_is_the_clusters_word_for_what_a_key_is() {
    let [cluster, stranger] = [TestCluster::start(1).await, TestCluster::start(1).await];
    let (mut region, mut foreign) = (crypto_user(&cluster).await, crypto_user(&stranger).await);
    let handles = region.generate(0, KeySpec::Ec(Curve::P256)).await;
    let nonce = [9; 32];
    let attestation = region.ask(0, Attest { handles: handles.clone(), nonce }).await.unwrap();
    let statement = Statement::decode(&attestation.statement).unwrap();
    assert_eq!(statement.nonce, nonce);
    for ((handle, attributes), expected) in statement.keys.into_iter().zip(handles) {
        assert_eq!(handle, expected);
        assert_eq!(attributes, region.ask(0, ReadAttributes { handle }).await.unwrap());
    }
    let root = certificate(&mut region, CertificateKind::CustomerRoot).await;
    let own = certificate(&mut region, CertificateKind::ClusterByCustomer).await;
    let theirs = certificate(&mut foreign, CertificateKind::ClusterByCustomer).await;
    let anchor = Anchor::from_der(&root, Path::new("customerCA.crt")).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let check = |certificate: &[u8], statement: &[u8]| {
        let now = i64::try_from(now).unwrap();
        anchor.check_message(certificate, statement, &attestation.signature, now).is_ok()
    };
    assert!(check(&own, &attestation.statement));
    assert!(!check(&theirs, &attestation.statement));
    let mut altered = attestation.statement.clone();
    *altered.last_mut().unwrap() ^= 1;
    assert!(!check(&own, &altered));
    for handles in [Vec::new(), vec![KeyHandle(9); 17]] {
        assert_eq!(region.ask(0, Attest { handles, nonce }).await, refused(Refusal::InvalidInput));
    }
    let unknown = region.ask(0, Attest { handles: vec![KeyHandle(99)], nonce }).await;
    assert_eq!(unknown, refused(Refusal::InvalidHandle));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_says_what_is_in_use() {
    let cluster = TestCluster::start(1).await;
    let mut region = crypto_user(&cluster).await;
    let before = region.ask(0, DescribePartition).await.unwrap();
    assert_eq!((before.max_users, before.available_users, before.max_keys), (1024, 1021, 16_666));
    assert_eq!((before.sessions, before.max_connections, before.password_lengths), (1, 900, (7, 32)));
    assert_eq!((before.token_keys, before.session_keys, before.approvers), (0, 0, 0));
    region.generate(0, AES).await;
    session_key(&mut region).await;
    session_key(&mut region).await;
    let after = region.ask(0, DescribePartition).await.unwrap();
    assert_eq!((after.token_keys, after.session_keys), (1, 2));
}

/// Session keys go in and out as token keys do, and end with their session all the same.
#[tokio::test(flavor = "multi_thread")]
async fn session_keys_go_in_and_out() {
    let cluster = TestCluster::start(1).await;
    let mut region = crypto_user(&cluster).await;
    let (wrapping, handle) = (session_key(&mut region).await, session_key(&mut region).await);
    let mechanism = WrapMechanism::AesWrapPad;
    let wrapped = region.ask(0, WrapKey { handle, wrapping, mechanism: mechanism.clone() }).await.unwrap();
    let template = Template { lifetime: Lifetime::Session, ..Template::default() };
    let (class, key_type) = (KeyClass::Secret, KeyType::Aes);
    let unwrap = UnwrapKey { wrapping, mechanism, wrapped, class, key_type, flags: None, template };
    let copy = region.ask(0, unwrap).await.unwrap();
    let set = SetAttribute { handle: copy, attribute: Attribute::Token, value: Value::Byte(1) };
    let attest = Attest { handles: vec![copy], nonce: [1; 32] };
    assert!(region.ask(0, attest).await.is_ok());
    let partition = region.ask(0, DescribePartition).await.unwrap();
    assert_eq!((partition.token_keys, partition.session_keys), (0, 3));
    region.ask(0, set).await.unwrap();
    let partition = region.ask(0, DescribePartition).await.unwrap();
    assert_eq!((partition.token_keys, partition.session_keys), (1, 2));
}

async fn crypto_user(cluster: &TestCluster) -> Region {
    let mut region = Region::activated(cluster).await;
    region.create_user("alice").await;
    region.as_cu("alice").await;
    region
}

/// A value known to both clusters, as two people would bring it: under a session key of each.
async fn import_aes(region: &mut Region, length: usize) -> KeyHandle {
    let (wrapping, mechanism) = (session_key(region).await, WrapMechanism::AesWrapPkcs5);
    let data = SecretBytes::new(vec![42; length].into());
    let wrapped = region.ask(0, WrapHost { wrapping, mechanism: mechanism.clone(), data }).await.unwrap();
    unwrap(region, wrapping, mechanism, wrapped, (KeyClass::Secret, KeyType::Aes)).await.unwrap()
}

async fn session_key(region: &mut Region) -> KeyHandle {
    let template = Template { lifetime: Lifetime::Session, ..Template::default() };
    region.ask(0, GenerateKey { spec: AES, template }).await.unwrap()[0]
}

async fn unwrap(
    region: &mut Region,
    wrapping: KeyHandle,
    mechanism: WrapMechanism,
    wrapped: WrappedBytes,
    (class, key_type): (KeyClass, KeyType),
) -> Result<KeyHandle, Failure> {
    let template = Template::default();
    region.ask(0, UnwrapKey { wrapping, mechanism, wrapped, class, key_type, flags: None, template }).await
}

async fn decrypt(
    region: &mut Region,
    wrapping: KeyHandle,
    mechanism: WrapMechanism,
    wrapped: WrappedBytes,
) -> Result<SecretBytes, Failure> {
    let answer = Recipient::new().unwrap();
    let recipient = answer.public_key().to_vec();
    let sealed = region.ask(0, UnwrapHost { wrapping, mechanism, wrapped, recipient }).await?;
    Ok(answer.open(&sealed).unwrap())
}

async fn certificate(region: &mut Region, kind: CertificateKind) -> Vec<u8> {
    region.ask(0, GetCertificate { kind }).await.unwrap().0
}

fn gcm() -> WrapMechanism {
    WrapMechanism::AesGcm(Gcm { aad: b"known to both".to_vec(), ..Gcm::default() })
}

fn cloudhsm_gcm() -> WrapMechanism {
    WrapMechanism::CloudHsmAesGcm(Gcm::default())
}

fn refused<T>(refusal: Refusal) -> Result<T, Failure> {
    Err(Failure::Refused(refusal))
}
