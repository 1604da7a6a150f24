//! Approvals of what uses two keys: each has an M value of its own.

use cloudhsm::hsm::Event;
use cloudhsm::protocol::key::{GenerateKey, KeyHandle, Template};
use cloudhsm::protocol::quorum::{ApproveToken, GetToken, ListTokens, Service, Token};
use cloudhsm::protocol::user::UserType;
use cloudhsm::protocol::wrapping::WrapMechanism;
use cloudhsm::protocol::{Effect, Operation, Refusal};

use crate::lab::{AES, ALICE, BOB, Lab, id};
use crate::officers;
use crate::symbols::Value;

#[test]
fn a_key_is_wrapped_with_the_approvals_of_both_keys() {
    let (mut lab, key, wrapping) = with_two_keys();
    assert_eq!(lab.wrap(ALICE, key, wrapping), Err(Refusal::MxnAuthFailed));
    for approved in [key, wrapping] {
        approve(&mut lab, approved);
        let other = if approved == key { wrapping } else { key };
        assert_eq!(lab.wrap(ALICE, key, wrapping), Err(Refusal::MxnAuthFailed));
        approve(&mut lab, other);
        assert!(lab.wrap(ALICE, key, wrapping).is_ok());
        assert_eq!(lab.ask(ALICE, ListTokens).unwrap(), [], "both are used up");
    }
    // With a key that needs none, one approval is enough.
    let free = lab.make_aes(ALICE);
    approve(&mut lab, key);
    assert!(lab.wrap(ALICE, key, free).is_ok());
    approve(&mut lab, wrapping);
    assert!(lab.wrap(ALICE, free, wrapping).is_ok());
    assert_eq!(lab.ask(ALICE, ListTokens).unwrap(), []);
}

#[test]
fn a_wrapping_key_needs_its_approvals_for_all_that_it_does() {
    let (mut lab, key, wrapping) = with_two_keys();
    let (mechanism, value) = (WrapMechanism::AesWrapPad, Value::secret(1_000_000));
    let encrypt = |lab: &mut Lab| lab.wrap_data(ALICE, wrapping, mechanism.clone(), value);
    assert_eq!(encrypt(&mut lab), Err(Refusal::MxnAuthFailed));
    approve(&mut lab, wrapping);
    let wrapped = encrypt(&mut lab).unwrap();
    assert_eq!(lab.decrypt(ALICE, wrapping, &wrapped), Err(Refusal::MxnAuthFailed));
    assert_eq!(lab.unwrap(ALICE, wrapping, &wrapped), Err(Refusal::MxnAuthFailed));
    approve(&mut lab, key);
    assert_eq!(lab.unwrap(ALICE, wrapping, &wrapped), Err(Refusal::MxnAuthFailed), "of another key");
    approve(&mut lab, wrapping);
    assert_eq!(lab.decrypt(ALICE, wrapping, &wrapped), Ok(value));
    approve(&mut lab, wrapping);
    assert!(lab.unwrap(ALICE, wrapping, &wrapped).is_ok());
    assert_eq!(lab.ask(ALICE, ListTokens).unwrap().len(), 1, "that of the other key");
}

/// What a client may repeat is answered from memory, and what hands out values is not.
#[test]
fn only_making_a_key_is_done_once_for_an_id() {
    use cloudhsm::protocol::key::CreatePublicKey;
    use cloudhsm::protocol::wrap::{UnwrapHost, UnwrapKey, WrapHost, WrapKey};
    assert_eq!([UnwrapKey::EFFECT, CreatePublicKey::EFFECT], [Effect::Change; 2]);
    assert_eq!([WrapKey::EFFECT, WrapHost::EFFECT, UnwrapHost::EFFECT], [Effect::Session; 3]);
}

/// Alice's, shared with Bob, and both of them have to approve.
pub(crate) fn with_two_keys() -> (Lab, KeyHandle, KeyHandle) {
    let mut lab = Lab::new();
    let registered = [(ALICE, 0), (BOB, 1)].map(|(user, key)| match officers::registered(key, false) {
        Event::QuorumKeySet { key, .. } => Event::QuorumKeySet { id: id(user), key },
        _ => panic!("it registers a key"),
    });
    lab.world.apply(registered.to_vec());
    let template = Template { shared_with: vec![id(BOB)], m_value: 2, ..Template::default() };
    let mut make = || lab.ask(ALICE, GenerateKey { spec: AES, template: template.clone() }).unwrap()[0];
    let (key, wrapping) = (make(), make());
    (lab, key, wrapping)
}

/// Alice gets a token to use the key, which both approve.
fn approve(lab: &mut Lab, key: KeyHandle) {
    let get = GetToken { service: Service::UseKey, name: "alice".to_owned(), key };
    let tokens = Token::to_bytes(&lab.ask(ALICE, get).unwrap());
    for (officer, name) in ["alice", "bob"].into_iter().enumerate() {
        let (user_type, name) = (UserType::Cu, name.to_owned());
        let signature = officers::sign(officer, &tokens);
        lab.ask(ALICE, ApproveToken { tokens: tokens.clone(), user_type, name, signature }).unwrap();
    }
}
