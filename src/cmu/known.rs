//! What can be completed that only the servers know.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::cluster::{Dial, proven_users};
use crate::protocol::user::{UserId, UserRow, UserType};

/// How long whoever presses Tab waits for the servers.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long their answers are good.
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

/// Where users are asked for.
struct Source {
    dials: Vec<Dial>,
    runtime: Rc<Runtime>,
    asked: Option<Instant>,
}

impl Known {
    /// From now on these servers, in the order of their numbers, are asked for users when a word for one is missing.
    pub fn ask_for_users(&self, dials: Vec<Dial>, runtime: Rc<Runtime>) {
        self.0.borrow_mut().source = Some(Source { dials, runtime, asked: None });
    }

    pub(super) fn servers(&self, count: usize) {
        self.0.borrow_mut().servers = count;
    }

    pub(super) fn server_count(&self) -> usize {
        self.0.borrow().servers
    }

    /// Takes what a server lists, in place of what it listed before.
    pub(super) fn users(&self, server: usize, users: Vec<UserRow>) {
        self.0.borrow_mut().users.insert(server, users);
    }

    /// The names of all users of this type, if they are words that a line can hold.
    pub(super) fn names(&self, user_type: UserType) -> BTreeSet<String> {
        self.refresh();
        let facts = self.0.borrow();
        let named = facts.all().filter(|user| {
            user.user_type == user_type && user.name.bytes().all(|byte| byte.is_ascii_graphic())
        });
        named.map(|user| user.name.clone()).collect()
    }

    /// The ids of all users that are wanted.
    pub(super) fn ids(&self, is_wanted: fn(&UserRow) -> bool) -> BTreeSet<UserId> {
        self.refresh();
        self.0.borrow().all().filter(|user| is_wanted(user)).map(|user| user.id).collect()
    }

    /// Asks all servers, unless that was done just now. What a server listed stays known while it does not answer.
    fn refresh(&self) {
        let Facts { users, source, .. } = &mut *self.0.borrow_mut();
        let Some(Source { dials, runtime, asked }) = source else { return };
        if asked.is_some_and(|asked| asked.elapsed() < FRESH) {
            return;
        }
        let lists = runtime.block_on(proven_users(dials, PATIENCE));
        let listed = lists.into_iter().enumerate().filter_map(|(server, list)| Some((server, list?)));
        users.extend(listed);
        *asked = Some(Instant::now());
    }
}

impl Facts {
    fn all(&self) -> impl Iterator<Item = &UserRow> {
        self.users.values().flatten()
    }
}
