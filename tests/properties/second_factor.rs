//! A user with a second factor logs in with both, and with a signature of the digest that was given for just that.

use cloudhsm::hsm::{Event, SessionId, Verdict};
use cloudhsm::protocol::second_factor::{Digest, GetDigest, NewSecondFactor, Purpose, SignedDigests};
use cloudhsm::protocol::session::Login;
use cloudhsm::protocol::user::{ChangePassword, CreateUser, UserId, UserType};
use cloudhsm::protocol::{Refusal, Reply, Request, Secret};
use proptest::prelude::*;

use crate::model::World;
use crate::officers::{self, NAMES};

/// Who has a second factor, and whose digests are asked for.
const USER: usize = 0;

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_login_takes_the_last_digest_of_its_session_its_user_and_its_purpose_once(
        acts in prop::collection::vec(act(), 1..40),
    ) {
        let mut world = officers::world();
        world.apply(vec![officers::registered(USER, true)]);
        let mut given: Vec<Given> = Vec::new();
        for act in acts {
            match act {
                Act::Get { session, purpose, user } => {
                    let digest = digest(&mut world, session, purpose, user);
                    // A session has one.
                    given.iter_mut().filter(|given| given.session == session).for_each(|given| given.is_good = false);
                    let is_good = purpose == Purpose::Login && user == USER;
                    given.push(Given { digest, session, is_good });
                }
                Act::LogIn { session, back, signer, password } => {
                    let Some(at) = given.len().checked_sub(back + 1) else { continue };
                    let signed = (given[at].digest, officers::sign_digest(signer, &given[at].digest.0));
                    let verdict = log_in(&mut world, session, password, Some(vec![signed]));
                    let is_right = given[at].is_good && given[at].session == session && signer == USER;
                    prop_assert_eq!(matches!(verdict, Verdict::Reply(_)), is_right && password == "password");
                    given.iter_mut().filter(|given| given.session == session).for_each(|given| given.is_good = false);
                    unlock(&mut world);
                }
            }
        }
    }
}

/// The password alone is not even looked at.
#[test]
fn without_a_second_factor_a_password_is_neither_right_nor_wrong() {
    let mut world = officers::world();
    world.apply(vec![officers::registered(USER, true)]);
    for password in ["password", "another1"] {
        let verdict = log_in(&mut world, SessionId(1), password, None);
        assert!(matches!(verdict, Verdict::Refused(Refusal::SecondFactorMissing)));
    }
    assert_eq!(world.users()[2].login_failures, 0);
}

/// Whoever sets a second factor has the key; and one key is one user's.
#[test]
fn a_new_second_factor_is_signed_for_its_purpose_and_nobody_elses() {
    let session = SessionId(1);
    for (signer, key, purpose, expected) in [
        (3, 3, Purpose::ChangePassword, Ok(())),
        (2, 3, Purpose::ChangePassword, Err(Refusal::SignatureInvalid)),
        (2, 2, Purpose::ChangePassword, Err(Refusal::PublicKeyTaken)),
        (3, 3, Purpose::Login, Err(Refusal::DigestUnknown)),
        (3, 3, Purpose::CreateUser, Err(Refusal::DigestUnknown)),
    ] {
        let mut world = officers::world();
        log_in(&mut world, session, "password", None);
        let digest = digest(&mut world, session, purpose, USER);
        let signed = SignedDigests(vec![(digest, officers::sign_digest(signer, &digest.0))]);
        let new = NewSecondFactor { public_key: officers::public_key(key), signed };
        let change = Request::ChangePassword(ChangePassword {
            user_type: UserType::Co,
            name: NAMES[USER].to_owned(),
            password: Secret::new("password".to_owned()),
            second_factor: Some(new),
        });
        let verdict = match world.perform(&change, session).verdict {
            Verdict::Reply(_) => Ok(()),
            Verdict::Refused(refusal) => Err(refusal),
            Verdict::Needs(_) => panic!("the model does all work"),
        };
        assert_eq!(verdict, expected);
        assert_eq!(world.users()[2].second_factor, expected.is_ok());
    }
}

/// The repetition has no signatures yet.
#[test]
fn a_repeated_command_gave_the_password_and_the_second_factor_that_the_user_still_has() {
    let mut world = officers::world();
    let session = SessionId(1);
    log_in(&mut world, session, "password", None);
    let get = GetDigest { purpose: Purpose::CreateUser, user_type: UserType::Co, name: "eve".to_owned() };
    let Verdict::Reply(Reply::GetDigest(digest)) = world.perform(&Request::GetDigest(get), session).verdict
    else {
        panic!("everybody may ask")
    };
    let signed = SignedDigests(vec![(digest, officers::sign_digest(3, &digest.0))]);
    let new = NewSecondFactor { public_key: officers::public_key(3), signed };
    let create = |second_factor| {
        let (name, password) = ("eve".to_owned(), Secret::new("password".to_owned()));
        Request::CreateUser(CreateUser { user_type: UserType::Co, name, password, second_factor })
    };
    let created = world.perform(&create(Some(new.clone())), session).verdict;
    assert!(matches!(created, Verdict::Reply(_)));
    let refused = |world: &mut World, request| match world.perform(&request, session).verdict {
        Verdict::Refused(refusal) => refusal,
        Verdict::Reply(_) | Verdict::Needs(_) => panic!("the user is there"),
    };
    assert_eq!(refused(&mut world, create(None)), Refusal::CreatedWithSecondFactor);
    assert_eq!(refused(&mut world, create(Some(new))), Refusal::UserExists);
    world.apply(vec![Event::QuorumKeySet { id: UserId(7), key: None }]);
    assert_eq!(refused(&mut world, create(None)), Refusal::UserExists);
}

struct Given {
    digest: Digest,
    session: SessionId,
    /// Whether a signature of it is good for a login.
    is_good: bool,
}

#[derive(Clone, Debug)]
enum Act {
    Get {
        session: SessionId,
        purpose: Purpose,
        user: usize,
    },
    /// With a signature of the digest that was given so many before the last.
    LogIn {
        session: SessionId,
        back: usize,
        signer: usize,
        password: &'static str,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let session = || prop_oneof![3 => Just(SessionId(1)), 1 => Just(SessionId(2))];
    let purpose = prop::sample::select(vec![
        Purpose::Login,
        Purpose::Login,
        Purpose::Login,
        Purpose::ChangePassword,
        Purpose::CreateUser,
    ]);
    let mostly_the_user = || prop_oneof![4 => Just(USER), 1 => 1..NAMES.len()];
    let password = prop::sample::select(vec!["password", "password", "another1"]);
    let back = prop_oneof![4 => Just(0_usize), 1 => 1..3_usize];
    prop_oneof![
        (session(), purpose, mostly_the_user()).prop_map(|(session, purpose, user)| Act::Get {
            session,
            purpose,
            user
        }),
        (session(), back, mostly_the_user(), password)
            .prop_map(|(session, back, signer, password)| Act::LogIn { session, back, signer, password }),
    ]
}

fn digest(world: &mut World, session: SessionId, purpose: Purpose, user: usize) -> Digest {
    let get = GetDigest { purpose, user_type: UserType::Co, name: NAMES[user].to_owned() };
    match world.perform(&Request::GetDigest(get), session).verdict {
        Verdict::Reply(Reply::GetDigest(digest)) => digest,
        _ => panic!("everybody may ask"),
    }
}

fn log_in(
    world: &mut World,
    session: SessionId,
    password: &str,
    signed: Option<Vec<(Digest, Vec<u8>)>>,
) -> Verdict {
    let login = Login {
        user_type: UserType::Co,
        name: NAMES[USER].to_owned(),
        password: Secret::new(password.to_owned()),
        second_factor: signed.map(SignedDigests),
    };
    world.perform(&Request::Login(login), session).verdict
}

/// As a CO's changePswd does, so that the story goes on.
fn unlock(world: &mut World) {
    let (session, user) = (SessionId(99), UserId(3));
    world.apply(vec![Event::LoggedIn { session, user }, Event::LoggedOut(session)]);
}
