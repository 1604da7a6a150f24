//! What an HSM says to a copy of a key or user that it has already, in whole or in part.

use cloudhsm::hsm::{Copied, CopiedKey, CopiedUser, Event, Key, MAX_KEYS, PasswordHash, Prints};
use cloudhsm::protocol::Refusal;
use cloudhsm::protocol::attribute::Attribute;
use cloudhsm::protocol::key::{DeleteKey, GenerateKey, KeyHandle, Template};
use cloudhsm::protocol::masked::{
    Difference, Existing, ExtractUser, InsertKey, InsertUser, Inserted, MaskedObject, Place,
};
use cloudhsm::protocol::session::Logout;
use cloudhsm::protocol::user::UserType;
use cloudhsm::wire::frame::{decode, encode};

use crate::lab::{AES, ALICE, BOB, Lab, OFFICER, id};
use crate::officers;

type Alter = fn(&mut CopiedKey);

#[test]
fn users_copy_their_own_keys_and_officers_any() {
    let mut lab = Lab::new();
    let key = lab.make_aes(ALICE);
    lab.share(ALICE, key, &[BOB]);
    assert_eq!(lab.mask(BOB, key), Err(Refusal::KeyAccessDenied));
    let object = lab.mask(ALICE, key).unwrap();
    assert_eq!(lab.mask(OFFICER, key), Ok(object.clone()));
    for place in [Place::SameHandle, Place::NewHandle] {
        assert_eq!(lab.insert(BOB, &object, place), Err(Refusal::KeyAccessDenied));
    }
    // The copy is Bob's, but what is here is not.
    let owner = (UserType::Cu, "bob".to_owned());
    let bobs = altered(&object, |copied| copied.owner = owner);
    assert_eq!(lab.insert(BOB, &bobs, Place::SameHandle), Err(Refusal::KeyAccessDenied));
    assert!(lab.insert(OFFICER, &object, Place::NewHandle).is_ok());
}

#[test]
fn a_copy_is_compared_in_every_respect_and_replaces_what_is_there_only_if_asked() {
    let alterations: [(Difference, Alter); 5] = [
        (Difference::Owner, |copied| copied.owner = (UserType::Cu, "bob".to_owned())),
        (Difference::Sharing, |copied| copied.shared_with.push((UserType::Cu, "carl".to_owned()))),
        (Difference::Attributes, |copied| copied.attributes.label = "sun".to_owned()),
        (Difference::MValue, |copied| copied.m_value = 2),
        (Difference::MValue, |copied| copied.approved = 1),
    ];
    for (difference, alter) in alterations {
        let mut lab = Lab::new();
        let key = lab.make_aes(ALICE);
        let object = lab.mask(ALICE, key).unwrap();
        let other = altered(&object, alter);
        for existing in [Existing::Compare, Existing::Replace] {
            assert_eq!(insert(&mut lab, &object, existing), Ok(Inserted::Equal(key)));
        }
        let differs = Ok(Inserted::Differs(key, vec![difference]));
        assert_eq!(insert(&mut lab, &other, Existing::Compare), differs);
        assert_eq!(insert(&mut lab, &other, Existing::Compare), differs, "nothing was changed");
        assert_eq!(insert(&mut lab, &other, Existing::Replace), Ok(Inserted::Replaced(key)));
        assert_eq!(insert(&mut lab, &other, Existing::Compare), Ok(Inserted::Equal(key)));
    }
}

#[test]
fn a_copy_of_another_key_does_not_take_its_handle() {
    let mut lab = Lab::new();
    let [key, other] = [lab.make_aes(ALICE), lab.make_aes(ALICE)];
    let object = altered(&lab.mask(ALICE, key).unwrap(), |copied| copied.handle = other);
    for existing in [Existing::Compare, Existing::Replace] {
        assert_eq!(insert(&mut lab, &object, existing), Err(Refusal::HandleTaken));
    }
}

/// Also when the key was deleted since. Only keys whose changes are approved have older copies.
#[test]
fn a_copy_with_fewer_approvals_is_older() {
    let mut lab = Lab::new();
    let key = lab.make_aes(ALICE);
    let plain = lab.mask(ALICE, key).unwrap();
    let with =
        |m_value, approved| altered(&plain, |copied| (copied.m_value, copied.approved) = (m_value, approved));
    assert_eq!(insert(&mut lab, &with(2, 3), Existing::Replace), Ok(Inserted::Replaced(key)));
    for is_deleted in [false, true] {
        if is_deleted {
            lab.ask(ALICE, DeleteKey { handle: key }).unwrap();
        }
        for older in [with(2, 2), with(3, 0)] {
            assert_eq!(insert(&mut lab, &older, Existing::Compare), Err(Refusal::CopyIsOlder));
            assert_eq!(lab.insert(OFFICER, &older, Place::NewHandle), Err(Refusal::CopyIsOlder));
        }
        let same = insert(&mut lab, &with(2, 3), Existing::Compare);
        assert_eq!(same, Ok(if is_deleted { Inserted::Created(key) } else { Inserted::Equal(key) }));
        assert!(insert(&mut lab, &with(1, 0), Existing::Compare).is_ok());
    }
}

/// By its owner, as an officer may lift the guard.
#[test]
fn what_is_remembered_of_approvals_is_not_taken_for_trust() {
    let mut lab = Lab::new();
    let key = lab.make_aes(ALICE);
    let object = altered(&lab.mask(ALICE, key).unwrap(), |copied| (copied.m_value, copied.approved) = (2, 3));
    insert(&mut lab, &object, Existing::Replace).unwrap();
    lab.ask(ALICE, DeleteKey { handle: key }).unwrap();
    lab.insert(ALICE, &object, Place::SameHandle).unwrap();
    assert!(!lab.attributes(ALICE, key).wrap_with_trusted);
}

#[test]
fn a_copy_is_guarded_only_if_its_key_is() {
    let mut lab = Lab::new();
    let (key, guarded) = (lab.make_aes(ALICE), lab.make_aes(ALICE));
    lab.set(ALICE, guarded, Attribute::WrapWithTrusted, 1).unwrap();
    let object = lab.mask(ALICE, key).unwrap();
    let copy = lab.insert(ALICE, &object, Place::NewHandle).unwrap();
    assert!(!lab.attributes(ALICE, copy).wrap_with_trusted);
}

#[test]
fn changes_are_counted_only_if_they_are_approved() {
    let mut lab = Lab::new();
    let template = Template { m_value: 1, ..Template::default() };
    let key = lab.ask(ALICE, GenerateKey { spec: AES, template }).unwrap()[0];
    lab.share(ALICE, key, &[BOB]);
    lab.set(ALICE, key, Attribute::Encrypt, 0).unwrap();
    assert_eq!(copied(&lab.mask(ALICE, key).unwrap()).approved, 0);
}

#[test]
fn a_full_hsm_takes_no_more_keys() {
    let mut lab = Lab::new();
    let key = lab.make_aes(ALICE);
    let object = lab.mask(ALICE, key).unwrap();
    let CopiedKey { attributes, material, .. } = copied(&object);
    let (owner, prints) = (id(ALICE), Prints::default());
    let same = Key { attributes, material, owner, shared_with: [].into(), m_value: 0, approved: 0, prints };
    let handles = (key.0 + 1..).map(KeyHandle).take(MAX_KEYS - 2);
    let created = |handle| Event::KeyCreated { handle, key: same.clone(), session: None };
    lab.world.apply(handles.map(created).collect());
    let elsewhere = altered(&object, |copied| copied.handle = KeyHandle(400_000));
    assert_eq!(insert(&mut lab, &elsewhere, Existing::Compare), Ok(Inserted::Created(KeyHandle(400_000))));
    let further = altered(&object, |copied| copied.handle = KeyHandle(400_001));
    assert_eq!(insert(&mut lab, &further, Existing::Compare), Err(Refusal::TooManyKeys));
    assert_eq!(insert(&mut lab, &object, Existing::Compare), Ok(Inserted::Equal(key)));
    let generate = GenerateKey { spec: AES, template: Template::default() };
    assert_eq!(lab.ask(ALICE, generate.clone()), Err(Refusal::TooManyKeys));
    lab.ask(ALICE, DeleteKey { handle: key }).unwrap();
    assert!(lab.ask(ALICE, generate).is_ok());
}

#[test]
fn a_copied_user_is_compared_and_replaced_when_logged_out() {
    let mut lab = Lab::new();
    let object = lab.ask(OFFICER, ExtractUser { id: id(ALICE) }).unwrap();
    let ask = |lab: &mut Lab, object: &MaskedObject, existing| {
        lab.ask(OFFICER, InsertUser { object: object.clone(), existing })
    };
    let user = id(ALICE);
    for existing in [Existing::Compare, Existing::Replace] {
        assert_eq!(ask(&mut lab, &object, existing), Ok(Inserted::Equal(user)));
    }
    let Event::QuorumKeySet { key, .. } = officers::registered(0, false) else {
        panic!("it registers a key")
    };
    let with = |password: &str, quorum_key| {
        let Copied::User(copied) = decode(&object.0).unwrap() else { panic!("it is a user") };
        let password = PasswordHash(password.to_owned());
        MaskedObject(encode(&Copied::User(CopiedUser { password, quorum_key, ..copied })).unwrap().to_vec())
    };
    for (other, difference) in
        [(with("another1", None), Difference::Password), (with("another1", key), Difference::QuorumKey)]
    {
        assert_eq!(ask(&mut lab, &other, Existing::Compare), Ok(Inserted::Differs(user, vec![difference])));
        lab.log_in();
        assert_eq!(ask(&mut lab, &other, Existing::Compare), Ok(Inserted::Differs(user, vec![difference])));
        if difference == Difference::Password {
            assert_eq!(ask(&mut lab, &other, Existing::Replace), Err(Refusal::UserIsLoggedIn));
            lab.ask(ALICE, Logout).unwrap();
        }
        assert_eq!(ask(&mut lab, &other, Existing::Replace), Ok(Inserted::Replaced(user)));
        assert_eq!(ask(&mut lab, &other, Existing::Compare), Ok(Inserted::Equal(user)));
    }
}

fn insert(lab: &mut Lab, object: &MaskedObject, existing: Existing) -> Result<Inserted<KeyHandle>, Refusal> {
    lab.ask(OFFICER, InsertKey { object: object.clone(), place: Place::SameHandle, existing })
}

fn copied(object: &MaskedObject) -> CopiedKey {
    let Copied::Key(copied) = decode(&object.0).unwrap() else { panic!("it is a key") };
    copied
}

/// The model's masked objects can be read by all.
pub(crate) fn altered(object: &MaskedObject, alter: impl FnOnce(&mut CopiedKey)) -> MaskedObject {
    let mut copied = copied(object);
    alter(&mut copied);
    MaskedObject(encode(&Copied::Key(copied)).unwrap().to_vec())
}
