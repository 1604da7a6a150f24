//! Single rules, where histories at random seldom or never go.

use cloudhsm::hsm::{Event, SessionId, Verdict};
use cloudhsm::protocol::attribute::{Attribute, SetAttribute, Value};
use cloudhsm::protocol::device::{DescribeHsm, DescribePartition};
use cloudhsm::protocol::key::{DeleteKey, DescribeKey, GenerateKey, KeyClass, KeyType, Lifetime, Template};
use cloudhsm::protocol::masked::Place;
use cloudhsm::protocol::message::OperationId;
use cloudhsm::protocol::second_factor::SignedDigests;
use cloudhsm::protocol::session::{Login, Logout};
use cloudhsm::protocol::user::{DeleteUser, UserType};
use cloudhsm::protocol::wrap::UnwrapKey;
use cloudhsm::protocol::wrapping::WrapMechanism;
use cloudhsm::protocol::{Operation, Refusal, Secret};

use crate::approvals::with_two_keys;
use crate::lab::{AES, ALICE, BOB, CARL, Lab, OFFICER, RSA};
use crate::model;

/// Guarded is what decrypts alike, and nothing else.
#[test]
fn to_trust_a_key_guards_no_other_key() {
    let mut lab = Lab::new();
    let (key, other) = (lab.make_aes(ALICE), lab.make_aes(ALICE));
    lab.set(OFFICER, key, Attribute::Trusted, 0).unwrap();
    assert!(!lab.attributes(ALICE, key).wrap_with_trusted, "it was never trusted");
    lab.trust(key);
    assert!(lab.attributes(ALICE, key).wrap_with_trusted);
    assert!(!lab.attributes(ALICE, other).wrap_with_trusted);
}

#[test]
fn a_session_key_becomes_a_token_key() {
    let mut lab = Lab::new();
    let template = Template { lifetime: Lifetime::Session, ..Template::default() };
    let key = lab.ask(ALICE, GenerateKey { spec: AES, template }).unwrap()[0];
    lab.set(ALICE, key, Attribute::Token, 1).unwrap();
    lab.world.hsm.close(ALICE);
    lab.log_in();
    assert!(lab.attributes(ALICE, key).token);
}

#[test]
fn an_hsm_says_what_it_holds() {
    let mut lab = Lab::new();
    lab.make_aes(ALICE);
    let template = Template { lifetime: Lifetime::Session, ..Template::default() };
    lab.ask(ALICE, GenerateKey { spec: AES, template }).unwrap();
    let partition = lab.ask(ALICE, DescribePartition).unwrap();
    assert_eq!((partition.max_users, partition.available_users), (1024, 1018));
    assert_eq!((partition.max_keys, partition.token_keys, partition.session_keys), (16_666, 1, 1));
    assert_eq!(
        (partition.sessions, partition.max_connections, partition.password_lengths),
        (4, 900, (7, 32))
    );
    let hsm = lab.ask(ALICE, DescribeHsm).unwrap();
    assert_eq!((hsm.serial_number.as_str(), hsm.free_public_memory), ("1", 560_596 - 6 * 256));
    let (major, minor) = hsm.firmware;
    assert_eq!(format!("{major}.{minor}.{}", hsm.build), env!("CARGO_PKG_VERSION"));
}

#[test]
fn an_hsm_remembers_its_last_1024_changes() {
    let mut lab = Lab::new();
    let handle = lab.make_aes(ALICE);
    let label = |number: u128| {
        let (attribute, value) = (Attribute::Label, Value::Text(number.to_string()));
        SetAttribute { handle, attribute, value }.into_request()
    };
    for number in 0..1025 {
        let verdict = lab.world.perform_as(&label(number), ALICE, OperationId(number + 1000)).verdict;
        assert!(matches!(verdict, Verdict::Reply(_)));
    }
    let other = label(2000);
    let reused = lab.world.perform_as(&other, ALICE, OperationId(1001)).verdict;
    assert!(matches!(reused, Verdict::Refused(Refusal::OperationIdReused)));
    let forgotten = lab.world.perform_as(&other, ALICE, OperationId(1000)).verdict;
    assert!(matches!(forgotten, Verdict::Reply(_)));
}

/// It uses up a digest, which no restart needs to know.
#[test]
fn a_stranger_who_tries_a_signature_is_counted_only() {
    let mut lab = Lab::new();
    let login = Login {
        user_type: UserType::Co,
        name: "nobody".to_owned(),
        password: Secret::new("password".to_owned()),
        second_factor: Some(SignedDigests(Vec::new())),
    };
    let decision = lab.world.perform(&login.into_request(), SessionId(9));
    assert!(matches!(decision.events[..], [Event::ChallengeUsed(SessionId(9))]));
    assert!(decision.by_stranger.is_some());
}

#[test]
fn a_deleted_user_shares_no_keys() {
    let mut lab = Lab::new();
    let handle = lab.make_aes(ALICE);
    lab.share(ALICE, handle, &[BOB]);
    lab.ask(BOB, Logout).unwrap();
    assert_eq!(delete(&mut lab, "bob"), Ok(()));
    assert_eq!(lab.ask(ALICE, DescribeKey { handle }).unwrap().shared_with, []);
}

#[test]
fn the_owner_of_a_key_is_not_deleted() {
    let mut lab = Lab::new();
    lab.make_aes(ALICE);
    let template = Template { lifetime: Lifetime::Session, ..Template::default() };
    lab.ask(BOB, GenerateKey { spec: AES, template }).unwrap();
    // The session goes on, and so does its key.
    lab.world.perform(&model::login(UserType::Cu, "carl", true), BOB);
    lab.ask(ALICE, Logout).unwrap();
    for owner in ["alice", "bob"] {
        assert_eq!(delete(&mut lab, owner), Err(Refusal::UserOwnsKeys));
    }
    lab.ask(BOB, Logout).unwrap();
    lab.ask(CARL, Logout).unwrap();
    for other in ["bob", "carl"] {
        assert_eq!(delete(&mut lab, other), Ok(()));
    }
}

/// Of a pair, the public half.
#[test]
fn records_name_operations_and_keys() {
    let mut lab = Lab::new();
    let recorded = |lab: &Lab| {
        let of = |event: &Event| match event {
            Event::Recorded(record) => Some((record.opcode.0, record.key)),
            _ => None,
        };
        lab.world.history.last().and_then(|events| events.iter().find_map(of))
    };
    let pair = lab.make(ALICE, RSA);
    assert_eq!(recorded(&lab), Some((0x19, Some(pair[0]))));
    let object = lab.mask(ALICE, pair[1]).unwrap();
    assert_eq!(recorded(&lab), Some((0xf0, Some(pair[1]))));
    let copy = lab.insert(ALICE, &object, Place::NewHandle).unwrap();
    assert_eq!(recorded(&lab), Some((0xf1, Some(copy))));
    let (key, wrapping) = (lab.make_aes(ALICE), lab.make_aes(ALICE));
    assert_eq!(recorded(&lab), Some((0x17, Some(wrapping))));
    let wrapped = lab.wrap(ALICE, key, wrapping).unwrap();
    assert_eq!(recorded(&lab), Some((0x1a, Some(key))));
    let copy = lab.unwrap(ALICE, wrapping, &wrapped).unwrap();
    assert_eq!(recorded(&lab), Some((0x1b, Some(copy))));
    lab.ask(ALICE, DeleteKey { handle: copy }).unwrap();
    assert_eq!(recorded(&lab), Some((0x11, Some(copy))));
}

#[test]
fn the_owner_needs_approvals_to_set_an_attribute_and_an_officer_none() {
    let (mut lab, key, _) = with_two_keys();
    assert_eq!(lab.set(ALICE, key, Attribute::Encrypt, 0), Err(Refusal::MxnAuthFailed));
    assert_eq!(lab.set(OFFICER, key, Attribute::Trusted, 1), Ok(()));
}

#[test]
fn no_value_makes_a_public_key_or_half_of_another_kind() {
    let mut lab = Lab::new();
    let (key, wrapping) = (lab.make_aes(ALICE), lab.make_aes(ALICE));
    let wrapped = lab.wrap(ALICE, key, wrapping).unwrap();
    for (class, key_type) in [
        (KeyClass::Public, KeyType::Rsa),
        (KeyClass::Public, KeyType::Aes),
        (KeyClass::Secret, KeyType::Rsa),
        (KeyClass::Private, KeyType::Aes),
    ] {
        let (wrapped, template) = (wrapped.clone(), Template::default());
        let mechanism = WrapMechanism::AesWrapPad;
        let unwrap = UnwrapKey { wrapping, mechanism, wrapped, class, key_type, flags: None, template };
        assert_eq!(lab.ask(ALICE, unwrap), Err(Refusal::InvalidInput), "{class:?} {key_type:?}");
    }
}

fn delete(lab: &mut Lab, name: &str) -> Result<(), Refusal> {
    lab.ask(OFFICER, DeleteUser { user_type: UserType::Cu, name: name.to_owned() })
}
