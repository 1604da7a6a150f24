//! Whoever repeats a command whose answer was lost learns that it was done, and learns no password by it.

use cloudhsm::hsm::{Event, PasswordHash, SessionId, Verdict};
use cloudhsm::protocol::message::OperationId;
use cloudhsm::protocol::user::{ChangePassword, CreateUser, DeleteUser, UserId, UserType};
use cloudhsm::protocol::{Refusal, Request, Secret};
use proptest::prelude::*;

use crate::model::{self, World};

const NAMES: [&str; 2] = ["one", "two"];
const PASSWORDS: [&str; 2] = ["password", "another1"];
/// Two COs, and their sessions.
const OFFICERS: [(&str, SessionId); 2] = [("officer", SessionId(1)), ("eve", SessionId(2))];

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_command_was_done_if_it_was_the_last_one_about_the_user(acts in prop::collection::vec(act(), 1..30)) {
        let mut world = world();
        let mut people = [Person::default(), Person::default()];
        for act in acts {
            let (name, expected) = (NAMES[act.person], people[act.person].expects(&act));
            let refusal = match act.what.request(name) {
                Some(request) => refusal(&world.perform(&request, OFFICERS[act.officer].1).verdict),
                None => happens_elsewhere(&mut world, &act),
            };
            prop_assert_eq!(refusal, expected, "{:?}", act);
            if refusal.is_none() {
                people[act.person].happens(&act);
            }
        }
    }
}

/// Whoever made a change cannot try passwords with its id, either.
#[test]
fn an_id_is_good_for_the_password_that_was_given_and_not_for_the_users_own() {
    let mut world = world();
    let (officer, id) = (OFFICERS[0].1, OperationId(1000));
    let create = |place| What::Create(place).request(NAMES[0]).unwrap();
    assert_eq!(refusal(&world.perform_as(&create(0), officer, id).verdict), None);
    let changed = PasswordHash(PASSWORDS[1].to_owned());
    world.apply(vec![Event::PasswordChanged { id: UserId(8), user_type: UserType::Cu, password: changed }]);
    let guessed = world.perform_as(&create(1), officer, id).verdict;
    assert_eq!(refusal(&guessed), Some(Refusal::OperationIdReused));
    assert_eq!(refusal(&world.perform_as(&create(0), officer, id).verdict), None);
}

/// With both COs logged in.
fn world() -> World {
    let mut world = World::with_users();
    world.apply(vec![model::user(7, UserType::Co, OFFICERS[1].0)]);
    for (name, session) in OFFICERS {
        let login = world.perform(&model::login(UserType::Co, name, true), session);
        assert_eq!(refusal(&login.verdict), None);
    }
    world
}

fn refusal(verdict: &Verdict) -> Option<Refusal> {
    match verdict {
        Verdict::Refused(refusal) => Some(*refusal),
        Verdict::Reply(_) | Verdict::Needs(_) => None,
    }
}

/// A copy of the user, with another password, takes the user's place.
fn happens_elsewhere(world: &mut World, act: &Act) -> Option<Refusal> {
    let users = world.users();
    let user = users.iter().find(|row| row.name == NAMES[act.person]);
    let What::Copy(place) = act.what else { return None };
    let Some(user) = user else { return Some(Refusal::NoSuchUser) };
    let password = PasswordHash(PASSWORDS[place].to_owned());
    world.apply(vec![Event::PasswordChanged { id: user.id, user_type: UserType::Cu, password }]);
    None
}

#[derive(Clone, Debug)]
struct Act {
    officer: usize,
    person: usize,
    what: What,
}

/// With the place of a password.
#[derive(Clone, Debug)]
enum What {
    Create(usize),
    Change(usize),
    Copy(usize),
    Delete,
}

fn act() -> impl Strategy<Value = Act> {
    let what = prop_oneof![
        4 => (0..PASSWORDS.len()).prop_map(What::Create),
        1 => (0..PASSWORDS.len()).prop_map(What::Change),
        1 => (0..PASSWORDS.len()).prop_map(What::Copy),
        2 => Just(What::Delete),
    ];
    (0..OFFICERS.len(), 0..NAMES.len(), what).prop_map(|(officer, person, what)| Act {
        officer,
        person,
        what,
    })
}

impl What {
    /// `None` if no request of an officer does it.
    fn request(&self, name: &str) -> Option<Request> {
        let (user_type, name, second_factor) = (UserType::Cu, name.to_owned(), None);
        let password = |place: &usize| Secret::new(PASSWORDS[*place].to_owned());
        Some(match self {
            Self::Create(place) => {
                Request::CreateUser(CreateUser { user_type, name, password: password(place), second_factor })
            }
            Self::Change(place) => Request::ChangePassword(ChangePassword {
                user_type,
                name,
                password: password(place),
                second_factor,
            }),
            Self::Copy(_) => return None,
            Self::Delete => Request::DeleteUser(DeleteUser { user_type, name }),
        })
    }
}

#[derive(Default)]
struct Person {
    /// The officer who created the user, and the password that the user was given.
    created: Option<(usize, usize)>,
    /// The password, while the user is there.
    password: Option<usize>,
    was_deleted: bool,
}

impl Person {
    fn expects(&self, act: &Act) -> Option<Refusal> {
        match (&act.what, self.password) {
            (What::Create(_), None) | (What::Change(_) | What::Copy(_) | What::Delete, Some(_)) => None,
            // An officer tries no password but the one that this officer gave.
            (What::Create(place), Some(password))
                if (password, self.created) == (*place, Some((act.officer, *place))) =>
            {
                Some(Refusal::CreatedAlready)
            }
            (What::Create(_), Some(_)) => Some(Refusal::UserExists),
            (What::Delete, None) if self.was_deleted => Some(Refusal::DeletedAlready),
            (What::Change(_) | What::Copy(_) | What::Delete, None) => Some(Refusal::NoSuchUser),
        }
    }

    fn happens(&mut self, act: &Act) {
        match act.what {
            What::Create(place) => (self.created, self.password) = (Some((act.officer, place)), Some(place)),
            What::Change(place) | What::Copy(place) => self.password = Some(place),
            What::Delete => (self.password, self.was_deleted) = (None, true),
        }
    }
}
