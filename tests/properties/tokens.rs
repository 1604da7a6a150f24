//! Quorum tokens: whose they are, how many there are, and how long they last.

use cloudhsm::hsm::{Event, MAX_TOKENS};
use cloudhsm::protocol::Refusal;
use cloudhsm::protocol::key::{DeleteKey, KeyHandle};
use cloudhsm::protocol::quorum::{ApproveToken, DeleteTokens, GetToken, ListTokens, Service};
use cloudhsm::protocol::user::UserType;

use crate::approvals::with_two_keys;
use crate::lab::{ALICE, BOB, Lab, OFFICER};
use crate::officers;

#[test]
fn a_token_lasts_ten_minutes() {
    let (mut lab, key, _) = with_two_keys();
    assert_eq!(lab.world.hsm.census().tokens, 0);
    get(&mut lab, "alice", key).unwrap();
    let seconds = |lab: &mut Lab| lab.ask(ALICE, ListTokens).unwrap()[0].validity;
    assert_eq!(seconds(&mut lab), 599);
    lab.world.wait(9);
    assert_eq!(seconds(&mut lab), 59);
    lab.world.wait(1);
    assert_eq!(seconds(&mut lab), 0);
    assert_eq!(lab.world.hsm.census().tokens, 1, "until its place is needed");
}

#[test]
fn a_user_approves_with_and_deletes_only_own_tokens() {
    let (mut lab, key, other) = with_two_keys();
    let alices = get(&mut lab, "alice", key).unwrap();
    let bobs = get(&mut lab, "bob", key).unwrap();
    let approve = |tokens: &[u8]| ApproveToken {
        tokens: tokens.to_vec(),
        user_type: UserType::Cu,
        name: "alice".to_owned(),
        signature: officers::sign(0, tokens),
    };
    assert_eq!(lab.ask(BOB, approve(&alices)), Err(Refusal::TokenOfAnother));
    assert_eq!(lab.ask(BOB, DeleteTokens::OfFile(alices.clone())), Err(Refusal::TokenOfAnother));
    assert_eq!(lab.ask(ALICE, approve(&alices)), Ok(()));
    assert_eq!(lab.ask(ALICE, DeleteTokens::OfFile(alices.clone())), Ok(()));
    assert_eq!(lab.ask(ALICE, DeleteTokens::OfFile(alices)), Err(Refusal::TokenGone));
    get(&mut lab, "alice", other).unwrap();
    lab.ask(ALICE, DeleteTokens::All).unwrap();
    let left: Vec<_> = lab.ask(ALICE, ListTokens).unwrap().into_iter().map(|row| row.about.user).collect();
    assert_eq!(left, ["bob"]);
    assert_eq!(lab.ask(BOB, DeleteTokens::OfFile(bobs)), Ok(()));
}

#[test]
fn the_tokens_of_a_key_end_with_it() {
    let (mut lab, key, other) = with_two_keys();
    get(&mut lab, "alice", key).unwrap();
    get(&mut lab, "alice", other).unwrap();
    lab.world.apply(vec![Event::KeyDeleted(key)]);
    let left: Vec<_> = lab.ask(ALICE, ListTokens).unwrap().into_iter().map(|row| row.about.key).collect();
    assert_eq!(left, [other]);
    assert_eq!(lab.ask(ALICE, DeleteKey { handle: key }), Err(Refusal::InvalidHandle));
}

/// Any CU can make a key with an M value, and get tokens for it.
#[test]
fn half_of_the_tokens_are_kept_for_officers() {
    let (mut lab, key, _) = with_two_keys();
    lab.world.apply(vec![Event::MValueSet { service: Service::UserManagement, m: 2 }]);
    for _ in 0..MAX_TOKENS / 2 {
        get(&mut lab, "alice", key).unwrap();
    }
    assert_eq!(get(&mut lab, "alice", key), Err(Refusal::TooManyTokens));
    let (service, name) = (Service::UserManagement, "officer".to_owned());
    assert!(lab.ask(OFFICER, GetToken { service, name, key: KeyHandle(0) }).is_ok());
}

fn get(lab: &mut Lab, name: &str, key: KeyHandle) -> Result<Vec<u8>, Refusal> {
    let session = if name == "bob" { BOB } else { ALICE };
    let get = GetToken { service: Service::UseKey, name: name.to_owned(), key };
    lab.ask(session, get).map(|token| token.to_bytes())
}
