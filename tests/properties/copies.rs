//! What an HSM is after its store came back, after its keys were encrypted anew, and as a clone.

use cloudhsm::hsm::{Hsm, Identity, Material, SessionId, Verdict, Wrapped};
use cloudhsm::protocol::attribute::Attribute;
use cloudhsm::protocol::key::{DescribeKey, GenerateKey, HANDLES_PER_NODE, KeyHandle, Lifetime, Template};
use cloudhsm::protocol::quorum::{GetToken, ListTokens, Service};
use cloudhsm::protocol::second_factor::{Digest, GetDigest, Purpose, SignedDigests};
use cloudhsm::protocol::session::Login;
use cloudhsm::protocol::user::UserType;
use cloudhsm::protocol::{Operation, Refusal, Secret};
use cloudhsm::wire::frame::{decode, encode};

use crate::approvals::with_two_keys;
use crate::lab::{AES, ALICE, BOB, Lab, id};
use crate::{model, officers};

/// On it, a CO with a second factor has asked for a digest.
const STRANGER: SessionId = SessionId(9);

/// The fourth of the officers' keys, and the user with the id 6.
const SIGNER: usize = 3;

#[test]
fn a_store_that_comes_back_as_it_was_ends_nothing() {
    let Open { lab, .. } = Open::new();
    let hsm = &lab.world.hsm;
    assert!(stored(hsm) != *hsm, "sessions are not stored");
    assert!(hsm.resumed(stored(hsm)) == *hsm);
}

/// It may have used up a token or an answer to a digest.
#[test]
fn a_change_that_was_in_doubt_ends_tokens_and_digests_if_it_was_made() {
    let Open { mut lab, digest, session_key } = Open::new();
    assert_eq!(lab.ask(ALICE, ListTokens).unwrap().len(), 1);
    let mut made = stored(&lab.world.hsm);
    made.apply(&model::user(7, UserType::Cu, "dora"));
    lab.world.hsm = lab.world.hsm.resumed(made);
    assert_eq!(lab.ask(ALICE, ListTokens), Ok(Vec::new()));
    assert_eq!(lab.ask(ALICE, DescribeKey { handle: session_key }).unwrap().lifetime, Lifetime::Session);
    let signed = SignedDigests(vec![(digest, officers::sign_digest(SIGNER, &digest.0))]);
    let login = Login {
        user_type: UserType::Co,
        name: "officer".to_owned(),
        password: Secret::new("password".to_owned()),
        second_factor: Some(signed),
    };
    let verdict = lab.world.perform(&login.into_request(), STRANGER).verdict;
    assert!(matches!(verdict, Verdict::Refused(Refusal::DigestUnknown)));
}

#[test]
fn a_session_key_that_has_become_a_token_key_is_one_key() {
    let Open { mut lab, session_key, .. } = Open::new();
    let open = lab.world.hsm.clone();
    lab.set(ALICE, session_key, Attribute::Token, 1).unwrap();
    lab.world.hsm = open.resumed(stored(&lab.world.hsm));
    assert_eq!(lab.world.hsm.counts(), (6, 3));
    assert_eq!(lab.ask(ALICE, DescribeKey { handle: session_key }).unwrap().lifetime, Lifetime::Token);
}

#[test]
fn keys_that_are_encrypted_anew_are_all_that_changes() {
    let Open { lab, .. } = Open::new();
    let hsm = &lab.world.hsm;
    let flip = |material: &Material| {
        let flipped = material.wrapped.0.iter().map(|byte| !byte).collect();
        Ok::<_, ()>(Material { wrapped: Wrapped(flipped), ..material.clone() })
    };
    let (Ok(once), Ok(twice)) =
        (hsm.rewrapped(flip), hsm.rewrapped(flip).and_then(|hsm| hsm.rewrapped(flip)))
    else {
        panic!("nothing fails")
    };
    assert_ne!(encode(&once).unwrap(), encode(hsm).unwrap());
    assert_eq!(encode(&twice).unwrap(), encode(hsm).unwrap());
}

#[test]
fn a_clone_has_the_users_and_token_keys_and_a_history_of_its_own() {
    let Open { mut lab, .. } = Open::new();
    let identity =
        Identity { hsm_id: "hsm-bbbbbbbbbbb".to_owned(), serial_number: "2".to_owned(), node_id: 1 };
    let clone = lab.world.hsm.clone_as(identity.clone());
    assert_eq!(lab.world.hsm.counts(), (6, 3));
    assert_eq!(clone.counts(), (6, 2));
    assert_eq!(clone.identity(), &identity);
    assert_eq!(clone.audit_head(), Hsm::default().audit_head());
    lab.world.hsm = clone;
    let handle = KeyHandle(6);
    assert_eq!(lab.ask(ALICE, DescribeKey { handle }), Err(Refusal::NotLoggedIn));
    lab.log_in();
    assert_eq!(lab.ask(ALICE, DescribeKey { handle }).unwrap().shared_with, [id(BOB)]);
    assert_eq!(lab.make_aes(ALICE), KeyHandle(HANDLES_PER_NODE + 6));
}

/// An HSM in use: of two token keys, Alice has a token for one; and she has a session key.
struct Open {
    lab: Lab,
    digest: Digest,
    session_key: KeyHandle,
}

impl Open {
    fn new() -> Self {
        let (mut lab, key, _) = with_two_keys();
        lab.world.apply(vec![officers::registered(SIGNER, true)]);
        let template = Template { lifetime: Lifetime::Session, ..Template::default() };
        let session_key = lab.ask(ALICE, GenerateKey { spec: AES, template }).unwrap()[0];
        lab.ask(ALICE, GetToken { service: Service::UseKey, name: "alice".to_owned(), key }).unwrap();
        let (user_type, name) = (UserType::Co, "officer".to_owned());
        let digest = lab.ask(STRANGER, GetDigest { purpose: Purpose::Login, user_type, name }).unwrap();
        Self { lab, digest, session_key }
    }
}

/// What a restart would find.
fn stored(hsm: &Hsm) -> Hsm {
    decode(&encode(hsm).unwrap()).unwrap()
}
