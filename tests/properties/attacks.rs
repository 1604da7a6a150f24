//! The known ways to a key's value that PKCS #11's rules leave open, by name. Each is refused.

use cloudhsm::protocol::Refusal;
use cloudhsm::protocol::attestation::{Attest, Statement};
use cloudhsm::protocol::attribute::Attribute::{self, Trusted, WrapWithTrusted};
use cloudhsm::protocol::key::{
    DeleteKey, GenerateKey, Hash, KeyClass, KeyHandle, KeyType, ReadPublicKey, Sign, SignMechanism,
    SignScheme, Signature, Template, Verify,
};
use cloudhsm::protocol::masked::Place;
use cloudhsm::protocol::wrap::{UnwrapKey, WrapKey};
use cloudhsm::protocol::wrapping::WrapMechanism::{AesWrap, AesWrapPad, RsaOaep, RsaPkcs};

use crate::lab::{ALICE, BOB, Lab, OFFICER, RSA};
use crate::symbols::{Blob, Value};

#[test]
fn wrapping_and_decrypting_with_one_key() {
    let (mut lab, trusted, key) = with_guarded_key();
    let own = lab.make_aes(BOB);
    assert_eq!(lab.wrap(BOB, key, own), Err(Refusal::TrustedKeyNeeded));
    let wrapped = lab.wrap(BOB, key, trusted).unwrap();
    assert_eq!(lab.set(ALICE, trusted, Attribute::Decrypt, 1), Ok(()));
    for who in [ALICE, BOB] {
        assert_eq!(lab.decrypt(who, trusted, &wrapped), Err(Refusal::TrustedKeyDecrypts));
    }
}

#[test]
fn a_weaker_copy_of_a_key_that_is_not_extractable() {
    let mut lab = Lab::new();
    let (own, template) = (lab.make_aes(BOB), Template { extractable: false, ..Template::default() });
    let key = lab.ask(BOB, GenerateKey { spec: crate::lab::AES, template }).unwrap()[0];
    let trusted = lab.make_trusted(ALICE, &[BOB]);
    for wrapping in [own, trusted, key] {
        assert_eq!(lab.wrap(BOB, key, wrapping), Err(Refusal::KeyNotExtractable));
    }
    assert_eq!(lab.set(BOB, key, Attribute::Extractable, 1), Err(Refusal::AttributeReadOnly));
    let object = lab.mask(BOB, key).unwrap();
    let copy = lab.insert(BOB, &object, Place::NewHandle).unwrap();
    assert!(!lab.attributes(BOB, copy).extractable);
}

#[test]
fn a_copy_of_a_key_for_trusted_keys_without_the_flag() {
    let (mut lab, trusted, key) = with_guarded_key();
    let wrapped = lab.wrap(BOB, key, trusted).unwrap();
    let copy = lab.unwrap(BOB, trusted, &wrapped).unwrap();
    let own = lab.make_aes(BOB);
    assert_eq!(lab.wrap(BOB, copy, own), Err(Refusal::TrustedKeyNeeded));
    assert_eq!(lab.set(BOB, copy, WrapWithTrusted, 0), Err(Refusal::InvalidInput));
    // Nor does it become a key that decrypts what it is itself, wrapped.
    assert_eq!(lab.decrypt(BOB, copy, &wrapped), Err(Refusal::TrustedKeyDecrypts));
}

#[test]
fn encrypting_a_known_key_and_unwrapping_it() {
    let (mut lab, trusted, key) = with_guarded_key();
    for wrapping in [trusted, lab.make_aes(BOB)] {
        let wrapped = lab.wrap_data(BOB, wrapping, AesWrapPad, Value::secret(1_000_000)).unwrap();
        let known = lab.unwrap(BOB, wrapping, &wrapped).unwrap();
        let attributes = lab.attributes(BOB, known);
        assert!(!attributes.local && !attributes.trusted && !attributes.never_extractable);
        assert_eq!(lab.wrap(BOB, key, known), Err(Refusal::TrustedKeyNeeded));
        assert_eq!(lab.set(BOB, known, Trusted, 1), Err(Refusal::NotAuthorized));
    }
}

#[test]
fn wrapping_as_a_sharer() {
    let mut lab = Lab::new();
    let (key, own) = (lab.make_aes(ALICE), lab.make_aes(BOB));
    lab.share(ALICE, key, &[BOB]);
    assert_eq!(lab.wrap(BOB, key, own), Err(Refusal::KeyAccessDenied));
    assert_eq!(lab.wrap(BOB, own, key).map(|_| ()), Ok(()), "to use it is another thing");
}

/// Its owner may; but those who share it can decrypt with it, and may not have it.
#[test]
fn wrapping_a_key_with_itself() {
    let mut lab = Lab::new();
    let key = lab.make_aes(ALICE);
    lab.share(ALICE, key, &[BOB]);
    let [public, private] = <[KeyHandle; 2]>::try_from(lab.make(ALICE, RSA)).unwrap();
    assert_eq!(lab.wrap(ALICE, key, key), Err(Refusal::KeyUnfit));
    let mechanism = RsaOaep(Hash::Sha256);
    let refused = lab.ask(ALICE, WrapKey { handle: private, wrapping: public, mechanism });
    assert_eq!(refused, Err(Refusal::KeyUnfit));
}

/// Without this, a key that is trusted for some time only would be enough.
#[test]
fn withdrawing_the_trust_in_a_key() {
    let (mut lab, trusted, key) = with_guarded_key();
    let wrapped = lab.wrap(BOB, key, trusted).unwrap();
    let older = lab.mask(ALICE, trusted).unwrap();
    lab.set(OFFICER, trusted, Trusted, 0).unwrap();
    for place in [Place::SameHandle, Place::NewHandle] {
        let copy = lab.insert(ALICE, &older, place).unwrap();
        assert!(!lab.attributes(ALICE, copy).trusted);
    }
    assert_eq!(lab.wrap(BOB, key, trusted), Err(Refusal::TrustedKeyNeeded));
    assert_eq!(lab.decrypt(BOB, trusted, &wrapped), Err(Refusal::TrustedKeyDecrypts));
    let copy = lab.unwrap(BOB, trusted, &wrapped).unwrap();
    assert!(lab.attributes(BOB, copy).wrap_with_trusted);
}

#[test]
fn wrapping_out_a_trusted_key() {
    let (mut lab, trusted, key) = with_guarded_key();
    let (own, other) = (lab.make_aes(ALICE), lab.make_trusted(ALICE, &[BOB]));
    assert_eq!(lab.wrap(ALICE, trusted, own), Err(Refusal::TrustedKeyNeeded));
    let wrapped = lab.wrap(BOB, key, trusted).unwrap();
    let chained = lab.wrap(ALICE, trusted, other).unwrap();
    // The copy is not trusted, but must keep the secret all the same.
    let copy = lab.unwrap(BOB, other, &chained).unwrap();
    assert!(!lab.attributes(BOB, copy).trusted);
    assert_eq!(lab.decrypt(BOB, copy, &wrapped), Err(Refusal::TrustedKeyDecrypts));
    let copy = lab.unwrap(BOB, copy, &wrapped).unwrap();
    assert!(lab.attributes(BOB, copy).wrap_with_trusted);
}

#[test]
fn an_older_copy_of_a_trusted_key() {
    let mut lab = Lab::new();
    let (wrapping, key) = (lab.make_aes(ALICE), lab.make_aes(BOB));
    lab.share(ALICE, wrapping, &[BOB]);
    let older = lab.mask(ALICE, wrapping).unwrap();
    let early = lab.insert(ALICE, &older, Place::NewHandle).unwrap();
    lab.trust(wrapping);
    lab.set(BOB, key, WrapWithTrusted, 1).unwrap();
    let wrapped = lab.wrap(BOB, key, wrapping).unwrap();
    let decrypts = |lab: &mut Lab, copy| lab.decrypt(ALICE, copy, &wrapped).is_ok();
    assert!(!decrypts(&mut lab, early), "a copy that was there already");
    let copy = lab.insert(ALICE, &older, Place::NewHandle).unwrap();
    assert!(!decrypts(&mut lab, copy), "a copy under another handle");
    assert_eq!(lab.insert(ALICE, &older, Place::SameHandle), Ok(wrapping));
    assert!(!decrypts(&mut lab, wrapping), "a copy in its place");
    for handle in [wrapping, early, copy] {
        lab.ask(ALICE, DeleteKey { handle }).unwrap();
    }
    let copy = lab.insert(ALICE, &older, Place::SameHandle).unwrap();
    assert!(!decrypts(&mut lab, copy), "a copy after all others are deleted");
}

#[test]
fn an_older_copy_of_a_key_for_trusted_keys() {
    let mut lab = Lab::new();
    let (key, own) = (lab.make_aes(BOB), lab.make_aes(BOB));
    let older = lab.mask(BOB, key).unwrap();
    lab.set(BOB, key, WrapWithTrusted, 1).unwrap();
    for place in [Place::SameHandle, Place::NewHandle] {
        let copy = lab.insert(BOB, &older, place).unwrap();
        assert_eq!(lab.wrap(BOB, copy, own), Err(Refusal::TrustedKeyNeeded));
    }
}

/// The public half wraps, so it is the one that is trusted; the other half decrypts.
#[test]
fn the_other_half_of_a_trusted_key() {
    let mut lab = Lab::new();
    let key = lab.make_aes(BOB);
    let [public, private] = <[KeyHandle; 2]>::try_from(lab.make(ALICE, RSA)).unwrap();
    lab.trust(public);
    lab.set(BOB, key, WrapWithTrusted, 1).unwrap();
    let wrapped = lab.ask(BOB, WrapKey { handle: key, wrapping: public, mechanism: RsaOaep(Hash::Sha256) });
    let wrapped = wrapped.unwrap();
    assert_eq!(lab.decrypt(ALICE, private, &wrapped), Err(Refusal::TrustedKeyDecrypts));
    let own = lab.make_aes(ALICE);
    assert_eq!(lab.wrap(ALICE, private, own), Err(Refusal::TrustedKeyNeeded));
    let copy = lab.unwrap(ALICE, private, &wrapped).unwrap();
    assert_eq!(lab.wrap(ALICE, copy, own), Err(Refusal::TrustedKeyNeeded));
    // Nor without the public half.
    lab.ask(ALICE, DeleteKey { handle: public }).unwrap();
    assert_eq!(lab.decrypt(ALICE, private, &wrapped), Err(Refusal::TrustedKeyDecrypts));
}

#[test]
fn an_older_copy_of_the_other_half_of_a_trusted_key() {
    for public_first in [false, true] {
        let mut lab = Lab::new();
        let [public, private] = <[KeyHandle; 2]>::try_from(lab.make(ALICE, RSA)).unwrap();
        let older = lab.mask(ALICE, private).unwrap();
        lab.trust(public);
        for handle in if public_first { [public, private] } else { [private, public] } {
            lab.ask(ALICE, DeleteKey { handle }).unwrap();
        }
        let copy = lab.insert(ALICE, &older, Place::NewHandle).unwrap();
        assert!(lab.attributes(ALICE, copy).wrap_with_trusted, "{public_first}");
    }
}

/// Bleichenbacher's: whether the padding was right is one bit of what was encrypted, and a million bits are all of it.
#[test]
fn asking_a_trusted_pair_about_paddings() {
    let mut lab = Lab::new();
    let [public, private] = <[KeyHandle; 2]>::try_from(lab.make(ALICE, RSA)).unwrap();
    let key = lab.make_aes(ALICE);
    let ask = |lab: &mut Lab| lab.ask(ALICE, WrapKey { handle: key, wrapping: public, mechanism: RsaPkcs });
    let wrapped = ask(&mut lab).unwrap();
    lab.trust(public);
    assert_eq!(ask(&mut lab), Err(Refusal::KeyUnfit));
    assert_eq!(lab.unwrap(ALICE, private, &wrapped), Err(Refusal::KeyUnfit));
}

/// Whatever is wrong with it, the answer is the same.
#[test]
fn learning_from_what_is_wrong_with_a_wrapped_key() {
    let mut lab = Lab::new();
    let (key, wrapping, other) = (lab.make_aes(ALICE), lab.make_aes(ALICE), lab.make_aes(ALICE));
    let good = lab.wrap(ALICE, key, wrapping).unwrap();
    let unwrap = |lab: &mut Lab, wrapping, mechanism, wrapped, key_type| {
        let (class, template) = (KeyClass::Secret, Template::default());
        lab.ask(ALICE, UnwrapKey { wrapping, mechanism, wrapped, class, key_type, flags: None, template })
    };
    let mut cut = good.clone();
    cut.bytes.pop();
    let aes = KeyType::Aes;
    assert!(unwrap(&mut lab, wrapping, AesWrapPad, good.clone(), aes).is_ok());
    for (wrapping, mechanism, wrapped, key_type) in [
        (other, AesWrapPad, good.clone(), aes),
        (wrapping, AesWrap, good.clone(), aes),
        (wrapping, AesWrapPad, cut, aes),
        (wrapping, AesWrapPad, good, KeyType::TripleDes),
    ] {
        let refused = unwrap(&mut lab, wrapping, mechanism, wrapped, key_type);
        assert_eq!(refused, Err(Refusal::WrappedKeyInvalid));
    }
}

/// That would be the plaintext of a key of one's own, but a public key has no flag that says who may have it.
#[test]
fn a_public_key_is_neither_wrapped_nor_is_a_private_one_read() {
    let mut lab = Lab::new();
    let [public, private] = <[KeyHandle; 2]>::try_from(lab.make(ALICE, RSA)).unwrap();
    let own = lab.make_aes(ALICE);
    assert_eq!(lab.wrap(ALICE, public, own), Err(Refusal::KeyUnfit));
    for handle in [private, own] {
        assert_eq!(lab.ask(ALICE, ReadPublicKey { handle }), Err(Refusal::KeyUnfit));
    }
}

/// Owners may set any use of their keys, but a key has those of its kind only.
#[test]
fn using_a_key_as_another_kind() {
    let mut lab = Lab::new();
    let [public, private] = <[KeyHandle; 2]>::try_from(lab.make(ALICE, RSA)).unwrap();
    for attribute in [Attribute::Sign, Attribute::Verify, Attribute::Wrap, Attribute::Decrypt] {
        for handle in [public, private] {
            lab.set(ALICE, handle, attribute, 1).unwrap();
        }
    }
    let (hash, mechanism) = (vec![1; 32], SignMechanism { scheme: SignScheme::RsaPkcs, hash: Hash::Sha256 });
    let sign = |handle| Sign { handle, mechanism, hash: hash.clone() };
    let Signature(signature) = lab.ask(ALICE, sign(private)).unwrap();
    let verify = |handle| Verify { handle, mechanism, hash: hash.clone(), signature: signature.clone() };
    assert_eq!(lab.ask(BOB, verify(public)), Ok(()), "anybody may");
    assert_eq!(lab.ask(ALICE, verify(private)), Err(Refusal::KeyUnfit));
    assert_eq!(lab.ask(ALICE, sign(public)), Err(Refusal::KeyUnfit));
    let key = lab.make_aes(ALICE);
    let wrap = |wrapping| WrapKey { handle: key, wrapping, mechanism: RsaOaep(Hash::Sha256) };
    assert_eq!(lab.ask(ALICE, wrap(private)), Err(Refusal::KeyUnfit));
    let wrapped = lab.ask(ALICE, wrap(public)).unwrap();
    assert_eq!(lab.decrypt(ALICE, public, &wrapped), Err(Refusal::KeyUnfit));
}

#[test]
fn reading_about_anothers_key_by_attestation() {
    let mut lab = Lab::new();
    let (key, pair) = (lab.make_aes(ALICE), lab.make(ALICE, RSA));
    let attest = |handles| Attest { handles, nonce: [1; 32] };
    assert_eq!(lab.ask(BOB, attest(vec![pair[0], key])), Err(Refusal::KeyAccessDenied));
    let statement = lab.ask(BOB, attest(vec![pair[0]])).unwrap().statement;
    assert_eq!(Statement::decode(&statement).unwrap().keys[0].0, pair[0]);
}

/// A trusted key that a CU shares with another, and that one's key, which only trusted keys may wrap.
fn with_guarded_key() -> (Lab, KeyHandle, KeyHandle) {
    let mut lab = Lab::new();
    let (trusted, key) = (lab.make_trusted(ALICE, &[BOB]), lab.make_aes(BOB));
    lab.set(BOB, key, WrapWithTrusted, 1).unwrap();
    assert_eq!(Blob::read(&lab.wrap(BOB, key, trusted).unwrap()).unwrap().mechanism, AesWrapPad);
    (lab, trusted, key)
}
