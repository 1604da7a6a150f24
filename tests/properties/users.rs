//! Rules for users, by example.

use cloudhsm::hsm::{Copied, CopiedUser, Event, Hsm, SessionId, Unlock, Verdict};
use cloudhsm::protocol::masked::{Existing, ExtractUser, InsertUser, Inserted, MaskedObject};
use cloudhsm::protocol::quorum::ApproveToken;
use cloudhsm::protocol::second_factor::{Digest, GetDigest, NewSecondFactor, Purpose, SignedDigests};
use cloudhsm::protocol::session::Login;
use cloudhsm::protocol::user::{
    ChangePassword, CreateUser, DeleteUser, EndSessions, ListUsers, UserId, UserType,
};
use cloudhsm::protocol::{Operation, Refusal, Secret};
use cloudhsm::wire::frame::{decode, encode};

use crate::lab::{ALICE, Lab, OFFICER, id};
use crate::{model, officers};

#[test]
fn passwords_have_7_to_32_characters() {
    let mut lab = Lab::new();
    for (length, is_good) in [(6, false), (7, true), (32, true), (33, false)] {
        let expected = if is_good { Ok(()) } else { Err(Refusal::PasswordLength) };
        let (name, password) = (format!("user_{length}"), Secret::new("ä".repeat(length)));
        let create =
            CreateUser { user_type: UserType::Cu, name, password: password.clone(), second_factor: None };
        assert_eq!(lab.ask(OFFICER, create).map(|_| ()), expected);
        let (user_type, name) = (UserType::Cu, "alice".to_owned());
        let change = ChangePassword { user_type, name, password, second_factor: None };
        assert_eq!(lab.ask(ALICE, change), expected);
    }
}

#[test]
fn the_appliance_user_is_neither_created_nor_deleted_nor_copied() {
    let mut lab = Lab::new();
    let (user_type, name) = (UserType::Au, "app_user".to_owned());
    let password = Secret::new("password".to_owned());
    let create = CreateUser { user_type, name: "other".to_owned(), password, second_factor: None };
    assert_eq!(lab.ask(OFFICER, create), Err(Refusal::InvalidUserType));
    assert_eq!(lab.ask(OFFICER, DeleteUser { user_type, name }), Err(Refusal::InvalidUserType));
    assert_eq!(lab.ask(OFFICER, ExtractUser { id: UserId(2) }), Err(Refusal::InvalidUserType));
}

#[test]
fn five_wrong_passwords_lock_a_user_until_the_owner_unlocks_it() {
    let mut lab = Lab::new();
    let stranger = SessionId(9);
    for (user_type, name) in [(UserType::Cu, "alice"), (UserType::PreCo, "admin"), (UserType::Co, "officer")]
    {
        assert!(!lab.world.hsm.is_every_officer_locked_out());
        let before = lab.world.hsm.census().locked_out;
        for _ in 0..5 {
            assert_eq!(lab.world.hsm.census().locked_out, before);
            lab.world.perform(&model::login(user_type, name, false), stranger);
        }
        assert_eq!(lab.world.hsm.census().locked_out, before + 1);
    }
    assert!(lab.world.hsm.is_every_officer_locked_out());
    assert!(!Hsm::default().is_every_officer_locked_out(), "it has none");
    let login = model::login(UserType::Co, "officer", true);
    let locked = lab.world.perform(&login, stranger).verdict;
    assert!(matches!(locked, Verdict::Refused(Refusal::UserLockedOut)));
    let unlock = Unlock { user_type: UserType::Co, name: "officer".to_owned() };
    lab.world.apply(lab.world.hsm.unlock(&unlock, 1).unwrap());
    assert!(matches!(lab.world.perform(&login, stranger).verdict, Verdict::Reply(_)));
    let nobody = Unlock { user_type: UserType::Co, name: "nobody".to_owned() };
    assert!(matches!(lab.world.hsm.unlock(&nobody, 1), Err(Refusal::NoSuchUser)));
}

#[test]
fn the_sessions_of_a_user_end_but_for_the_callers() {
    let mut lab = Lab::new();
    lab.world.perform(&model::login(UserType::Co, "officer", true), SessionId(7));
    lab.world.perform(&model::login(UserType::Cu, "alice", true), SessionId(8));
    assert_eq!(lab.world.hsm.census().logins, 6);
    let end = |user_type, name: &str| EndSessions { user_type, name: name.to_owned() };
    lab.ask(OFFICER, end(UserType::Co, "officer")).unwrap();
    assert_eq!(lab.world.hsm.census().logins, 5);
    lab.ask(OFFICER, end(UserType::Cu, "alice")).unwrap();
    assert_eq!(lab.world.hsm.census().logins, 3);
}

/// Not for users who cannot have a second factor, unless it is to log in: that refuses later, and alike for all.
#[test]
fn digests_are_given_for_names_that_can_be_and_users_who_may_sign() {
    let mut lab = Lab::new();
    let mut ask = |purpose, user_type, length: usize| {
        lab.ask(SessionId(9), GetDigest { purpose, user_type, name: "x".repeat(length) }).map(|_| ())
    };
    for purpose in [Purpose::CreateUser, Purpose::ChangePassword] {
        assert_eq!(ask(purpose, UserType::Cu, 5), Err(Refusal::SecondFactorForOfficers));
        assert_eq!(ask(purpose, UserType::Co, 5), Ok(()));
        assert_eq!(ask(purpose, UserType::PreCo, 5), Ok(()));
    }
    assert_eq!(ask(Purpose::Login, UserType::Cu, 5), Ok(()));
    assert_eq!(ask(Purpose::Login, UserType::Co, 31), Ok(()));
    assert_eq!(ask(Purpose::Login, UserType::Co, 32), Err(Refusal::InvalidInput));
}

/// The audit log and the rights of users about themselves rest on it.
#[test]
fn requests_say_whom_they_are_about_and_whether_they_are_signed() {
    let (user_type, name) = (UserType::Co, || "ann".to_owned());
    let password = || Secret::new("password".to_owned());
    let signed = SignedDigests(vec![(Digest([0; 32]), vec![1])]);
    assert_eq!(format!("{signed:?}"), "SignedDigests(1)", "half of a login must not reach a log");
    let new = NewSecondFactor { public_key: Vec::new(), signed: signed.clone() };
    for (second_factor, signed) in [(None, None), (Some(new), Some(signed))] {
        let is_signed = signed.is_some();
        let (to_create, to_change) = (second_factor.clone(), second_factor);
        for request in [
            CreateUser { user_type, name: name(), password: password(), second_factor: to_create }
                .into_request(),
            ChangePassword { user_type, name: name(), password: password(), second_factor: to_change }
                .into_request(),
            Login { user_type, name: name(), password: password(), second_factor: signed }.into_request(),
        ] {
            assert_eq!((request.is_signed(), request.subject()), (is_signed, Some((user_type, "ann"))));
        }
    }
    for request in [
        DeleteUser { user_type, name: name() }.into_request(),
        EndSessions { user_type, name: name() }.into_request(),
        GetDigest { purpose: Purpose::Login, user_type, name: name() }.into_request(),
        ApproveToken { tokens: Vec::new(), user_type, name: name(), signature: Vec::new() }.into_request(),
    ] {
        assert_eq!((request.is_signed(), request.subject()), (false, Some((user_type, "ann"))));
    }
    assert_eq!(ListUsers.into_request().subject(), None);
}

#[test]
fn a_copied_user_comes_with_its_key() {
    let mut lab = Lab::new();
    let object = lab.ask(OFFICER, ExtractUser { id: id(ALICE) }).unwrap();
    let Copied::User(copied) = decode(&object.0).unwrap() else { panic!("it is a user") };
    let Event::QuorumKeySet { key, .. } = officers::registered(0, true) else { panic!("it registers a key") };
    let copied = CopiedUser { name: "dora".to_owned(), quorum_key: key, ..copied };
    let object = MaskedObject(encode(&Copied::User(copied)).unwrap().to_vec());
    let insert = InsertUser { object, existing: Existing::Compare };
    assert_eq!(lab.ask(OFFICER, insert), Ok(Inserted::Created(UserId(7))));
    let users = lab.world.users();
    assert!(users.last().is_some_and(|dora| dora.quorum_key && dora.second_factor));
}
