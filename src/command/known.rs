//! What Tab can complete that only the servers know.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::protocol::user::{UserId, UserRow, UserType};

/// How long the servers' answers are good.
const FRESH: Duration = Duration::from_secs(3);

/// What the session knows that can be completed; shared with the console.
#[derive(Clone, Default)]
pub struct Known(Rc<RefCell<Facts>>);

#[derive(Default)]
struct Facts {
    servers: usize,
    /// As each server listed them last, by its number.
    users: BTreeMap<usize, Vec<UserRow>>,
    source: Option<Source>,
}

/// What asks the servers for their users.
struct Source {
    ask: Box<dyn Fn() -> Lists>,
    asked: Option<Instant>,
}

/// The users of each server, in the order of their numbers; `None` if it did not answer.
type Lists = Vec<Option<Vec<UserRow>>>;

impl Known {
    /// From now on asks the servers this way when a user is to be completed.
    pub fn ask_for_users(&self, ask: impl Fn() -> Lists + 'static) {
        self.0.borrow_mut().source = Some(Source { ask: Box::new(ask), asked: None });
    }

    /// From now on there are so many servers.
    pub fn servers(&self, count: usize) {
        self.0.borrow_mut().servers = count;
    }

    pub(crate) fn server_count(&self) -> usize {
        self.0.borrow().servers
    }

    /// Takes what a server lists, in place of what it listed before.
    pub fn users(&self, server: usize, users: Vec<UserRow>) {
        self.0.borrow_mut().users.insert(server, users);
    }

    /// The names of all users of this type, if they are words that a line can hold.
    pub(crate) fn names(&self, user_type: UserType) -> BTreeSet<String> {
        self.refresh();
        let facts = self.0.borrow();
        let named = facts.all().filter(|user| {
            user.user_type == user_type && user.name.bytes().all(|byte| byte.is_ascii_graphic())
        });
        named.map(|user| user.name.clone()).collect()
    }

    /// The ids of all users who are wanted.
    pub(crate) fn ids(&self, is_wanted: fn(&UserRow) -> bool) -> BTreeSet<UserId> {
        self.refresh();
        self.0.borrow().all().filter(|user| is_wanted(user)).map(|user| user.id).collect()
    }

    /// Asks all servers, unless that was done just now. What a server listed stays known while it does not answer.
    fn refresh(&self) {
        let Facts { users, source, .. } = &mut *self.0.borrow_mut();
        let Some(Source { ask, asked }) = source else { return };
        if asked.is_some_and(|asked| asked.elapsed() < FRESH) {
            return;
        }
        let listed = ask().into_iter().enumerate().filter_map(|(server, list)| Some((server, list?)));
        users.extend(listed);
        *asked = Some(Instant::now());
    }
}

impl Facts {
    fn all(&self) -> impl Iterator<Item = &UserRow> {
        self.users.values().flatten()
    }
}
