//! Whoever repeats a command whose answer was lost learns that it was done, and learns no password by it.

use cloudhsm::hsm::{SessionId, Verdict};
use cloudhsm::protocol::user::{ChangePassword, CreateUser, DeleteUser, UserType};
use cloudhsm::protocol::{Refusal, Request, Secret};
use proptest::prelude::*;

use crate::model::{self, World};

const NAMES: [&str; 2] = ["one", "two"];
const PASSWORDS: [&str; 2] = ["password", "another1"];
const OFFICER: SessionId = SessionId(1);

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_command_was_done_if_it_was_the_last_one_about_the_user(acts in prop::collection::vec(act(), 1..30)) {
        let mut world = World::with_users();
        world.perform(&model::login(UserType::Co, "officer", true), OFFICER);
        let mut people = [Person::default(), Person::default()];
        for act in acts {
            let (name, expected) = (NAMES[act.person], people[act.person].expects(&act.what));
            let verdict = world.perform(&act.what.request(name), OFFICER).verdict;
            let refusal = match verdict {
                Verdict::Refused(refusal) => Some(refusal),
                Verdict::Reply(_) | Verdict::Needs(_) => None,
            };
            prop_assert_eq!(refusal, expected, "{:?} of {}", act.what, name);
            if refusal.is_none() {
                people[act.person].happens(&act.what);
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Act {
    person: usize,
    what: What,
}

/// With the place of a password.
#[derive(Clone, Debug)]
enum What {
    Create(usize),
    Change(usize),
    Delete,
}

fn act() -> impl Strategy<Value = Act> {
    let what = prop_oneof![
        3 => (0..PASSWORDS.len()).prop_map(What::Create),
        1 => (0..PASSWORDS.len()).prop_map(What::Change),
        2 => Just(What::Delete),
    ];
    (0..NAMES.len(), what).prop_map(|(person, what)| Act { person, what })
}

impl What {
    fn request(&self, name: &str) -> Request {
        let (user_type, name, second_factor) = (UserType::Cu, name.to_owned(), None);
        let password = |place: &usize| Secret::new(PASSWORDS[*place].to_owned());
        match self {
            Self::Create(place) => {
                Request::CreateUser(CreateUser { user_type, name, password: password(place), second_factor })
            }
            Self::Change(place) => Request::ChangePassword(ChangePassword {
                user_type,
                name,
                password: password(place),
                second_factor,
            }),
            Self::Delete => Request::DeleteUser(DeleteUser { user_type, name }),
        }
    }
}

#[derive(Default)]
struct Person {
    /// The password that the user was created with, while no other has been set.
    created_with: Option<usize>,
    is_there: bool,
    was_deleted: bool,
}

impl Person {
    fn expects(&self, what: &What) -> Option<Refusal> {
        match (what, self.is_there) {
            (What::Create(_), false) | (What::Change(_) | What::Delete, true) => None,
            (What::Create(place), true) if self.created_with == Some(*place) => Some(Refusal::CreatedAlready),
            (What::Create(_), true) => Some(Refusal::UserExists),
            (What::Delete, false) if self.was_deleted => Some(Refusal::DeletedAlready),
            (What::Change(_) | What::Delete, false) => Some(Refusal::NoSuchUser),
        }
    }

    fn happens(&mut self, what: &What) {
        match what {
            What::Create(place) => (self.is_there, self.created_with) = (true, Some(*place)),
            What::Change(_) => self.created_with = None,
            What::Delete => (self.is_there, self.was_deleted) = (false, true),
        }
    }
}
