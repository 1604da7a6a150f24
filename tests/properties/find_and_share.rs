//! Which keys are found, listed and shared, by example.

use cloudhsm::protocol::Refusal;
use cloudhsm::protocol::key::{
    CreatePublicKey, DescribeKey, FindKeys, GenerateKey, KeyClass, KeyHandle, KeyType, Lifetime, ListKeys,
    ShareKey, Sharing, Template,
};
use cloudhsm::protocol::masked::Place;
use cloudhsm::protocol::user::{UserId, UserType};

use crate::lab::{AES, ALICE, BOB, CARL, Lab, OFFICER, RSA, id};
use crate::masked_copies::altered;
use crate::model;
use crate::symbols::Value;

#[test]
fn keys_are_found_by_all_that_is_asked() {
    let mut lab = Lab::new();
    let [public, private] = <[KeyHandle; 2]>::try_from(lab.make(ALICE, RSA)).unwrap();
    let named = Template { label: "sun".to_owned(), id: "1".to_owned(), ..Template::default() };
    let aes = lab.ask(ALICE, GenerateKey { spec: AES, template: named }).unwrap()[0];
    let template = Template { lifetime: Lifetime::Session, ..Template::default() };
    let session = lab.ask(ALICE, GenerateKey { spec: AES, template }).unwrap()[0];
    let modulus = lab.attributes(ALICE, private).modulus;
    let with_kcv = altered(&lab.mask(ALICE, aes).unwrap(), |copied| copied.attributes.kcv = Some([1, 2, 3]));
    lab.insert(OFFICER, &with_kcv, Place::SameHandle).unwrap();
    let any = FindKeys::default;
    for (op, expected) in [
        (any(), vec![public, private, aes, session]),
        (FindKeys { class: Some(KeyClass::Secret), ..any() }, vec![aes, session]),
        (FindKeys { key_type: Some(KeyType::Rsa), ..any() }, vec![public, private]),
        (FindKeys { label: Some("sun".to_owned()), ..any() }, vec![aes]),
        (FindKeys { label: Some("su".to_owned()), ..any() }, vec![]),
        (FindKeys { id: Some("1".to_owned()), ..any() }, vec![aes]),
        (FindKeys { lifetime: Some(Lifetime::Session), ..any() }, vec![session]),
        (FindKeys { modulus, ..any() }, vec![public, private]),
        (FindKeys { modulus: Some(vec![0]), ..any() }, vec![]),
        (FindKeys { kcv: Some(vec![1, 2, 3]), ..any() }, vec![aes]),
        (FindKeys { kcv: Some(vec![9; 3]), ..any() }, vec![]),
        (FindKeys { users: vec![id(BOB)], ..any() }, vec![public]),
        // All of it, not any of it.
        (FindKeys { class: Some(KeyClass::Private), key_type: Some(KeyType::Aes), ..any() }, vec![]),
        (FindKeys { label: Some("sun".to_owned()), id: Some("2".to_owned()), ..any() }, vec![]),
        (FindKeys { id: Some("1".to_owned()), lifetime: Some(Lifetime::Session), ..any() }, vec![]),
    ] {
        assert_eq!(lab.ask(ALICE, op.clone()).unwrap(), expected, "{op:?}");
    }
    lab.share(ALICE, aes, &[BOB, CARL]);
    let both = FindKeys { users: vec![id(BOB), id(CARL)], ..any() };
    assert_eq!(lab.ask(ALICE, both).unwrap(), [public, aes]);
}

#[test]
fn an_imported_public_key_has_what_was_said_of_it() {
    let mut lab = Lab::new();
    let create = CreatePublicKey {
        key: Value::public(9),
        label: "sun".to_owned(),
        id: "1".to_owned(),
        lifetime: Lifetime::Session,
    };
    let handle = lab.ask(ALICE, create).unwrap();
    let attributes = lab.attributes(ALICE, handle);
    assert_eq!((attributes.label.as_str(), attributes.id.as_str()), ("sun", "1"));
    assert!(!attributes.token);
    assert_eq!(lab.ask(ALICE, DescribeKey { handle }).unwrap().lifetime, Lifetime::Session);
}

#[test]
fn a_key_is_shared_with_one_to_eight_others() {
    let mut lab = Lab::new();
    let others: Vec<_> = (7..=14).map(UserId).collect();
    let users = others.iter().map(|id| model::user(id.0, UserType::Cu, &format!("cu_{}", id.0)));
    lab.world.apply(users.collect());
    let handle = lab.make_aes(ALICE);
    let change = |lab: &mut Lab, users: &[UserId], sharing| {
        lab.ask(ALICE, ShareKey { handle, users: users.to_vec(), sharing })
    };
    assert_eq!(change(&mut lab, &[], Sharing::Share), Err(Refusal::InvalidInput));
    assert_eq!(change(&mut lab, &[], Sharing::Unshare), Err(Refusal::InvalidInput));
    assert_eq!(change(&mut lab, &others, Sharing::Share), Ok(()));
    assert_eq!(change(&mut lab, &[id(BOB)], Sharing::Share), Err(Refusal::InvalidInput));
    assert_eq!(change(&mut lab, &[id(BOB)], Sharing::Unshare), Err(Refusal::InvalidInput), "not shared");
    assert_eq!(change(&mut lab, &others[..1], Sharing::Unshare), Ok(()));
    assert_eq!(change(&mut lab, &[id(BOB)], Sharing::Share), Ok(()));
    assert_eq!(lab.ask(ALICE, DescribeKey { handle }).unwrap().shared_with.len(), 8);
}

#[test]
fn only_token_keys_that_are_not_public_are_shared() {
    let mut lab = Lab::new();
    let template = Template { lifetime: Lifetime::Session, ..Template::default() };
    let session = lab.ask(ALICE, GenerateKey { spec: AES, template }).unwrap()[0];
    let public = lab.make(ALICE, RSA)[0];
    for handle in [session, public] {
        let share = ShareKey { handle, users: vec![id(BOB)], sharing: Sharing::Share };
        assert_eq!(lab.ask(ALICE, share), Err(Refusal::InvalidInput));
    }
}

#[test]
fn keys_are_hashed_if_there_are_any_and_that_is_asked() {
    let mut lab = Lab::new();
    let list = |lab: &mut Lab, hash| lab.ask(OFFICER, ListKeys { user: None, hash }).unwrap().hash;
    assert_eq!(list(&mut lab, true), None);
    lab.make_aes(ALICE);
    assert_eq!(list(&mut lab, false), None);
    assert!(list(&mut lab, true).is_some());
}
