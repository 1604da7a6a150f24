//! `syncKey`

use crate::cluster::Failure;
use crate::cmu::command::action;
use crate::cmu::sync::{Route, ask_one, look_at_one, may_replace, print_equal, print_failure_on};
use crate::cmu::{Action, Command, Group, Outcome, Session};
use crate::protocol::key::{DescribeKey, KeyHandle, ListKeys};
use crate::protocol::masked::{Existing, ExtractKey, InsertKey, Inserted, MaskedObject, Place};
use crate::protocol::user::{ListUsers, UserId, UserRow, UserType};
use crate::protocol::{Operation, Refusal};

pub(super) static COMMAND: Command = Command {
    name: "syncKey",
    arguments: "<key-handle> <server-number>",
    group: Group::Key,
    summary: "Copy a key to another server (server mode)",
    description: "\
Copies a key with its attributes, owner, sharing and quorum from the server of the server mode to another one, where
it gets the same handle. Owner and sharers are found there by type and name: syncUser copies those who are missing. A
copy that is there and differs is only replaced after a question. A CO copies every key, a CU its own; the login is
needed on both servers.",
    example: "syncKey 262150 1",
    access: Some(InsertKey::ACCESS),
    service: InsertKey::SERVICE,
    secret: None,
    parse: |mut words| {
        let handle = KeyHandle(words.number("key-handle")?);
        let destination = words.number("server-number")?;
        words.finish()?;
        action(SyncKey { handle, destination })
    },
};

struct SyncKey {
    handle: KeyHandle,
    destination: usize,
}

impl Action for SyncKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Outcome {
        match self.copy(session) {
            Ok(()) => {
                session.console.print("syncKey success\n");
                Outcome::Done
            }
            Err(outcome) => outcome,
        }
    }
}

impl SyncKey {
    fn copy(&self, session: &mut Session<'_>) -> Result<(), Outcome> {
        let route = Route::new(session, COMMAND.name, self.destination)?;
        let object = look_at_one(session, route.source, ExtractKey { handle: self.handle });
        let object = self.or_failed(session, route, route.source, object)?;
        let insert = |existing| InsertKey {
            object: MaskedObject(object.0.clone()),
            place: Place::SameHandle,
            existing,
        };
        let mut inserted = ask_one(session, route.destination, insert(Existing::Compare));
        let what = format!("Key {}", self.handle);
        if let Ok(Some(Inserted::Differs(_, differences))) = &inserted {
            may_replace(session, &what, route, differences)?;
            inserted = ask_one(session, route.destination, insert(Existing::Replace));
        }
        let inserted = self.or_failed(session, route, route.destination, inserted)?;
        print_equal(session, &what, route, &inserted);
        Ok(())
    }

    fn or_failed<R>(
        &self,
        session: &mut Session<'_>,
        route: Route,
        number: usize,
        answer: Result<Option<R>, Failure>,
    ) -> Result<R, Outcome> {
        let failure = match answer {
            Ok(reply) => return reply.ok_or(Outcome::Failed),
            Err(failure) => failure,
        };
        print_failure_on(session, COMMAND.name, number, &failure);
        if failure == Failure::Refused(Refusal::MaskedOwnerMissing) {
            self.name_the_missing(session, route);
        }
        Err(Outcome::Failed)
    }

    /// Names the syncUser to run first, for each user of the key who is not on the destination.
    fn name_the_missing(&self, session: &mut Session<'_>, route: Route) {
        let (Ok(Some(here)), Ok(Some(there))) = (
            look_at_one(session, route.source, ListUsers),
            look_at_one(session, route.destination, ListUsers),
        ) else {
            return;
        };
        let is_there = |user: &UserRow| {
            there
                .iter()
                .any(|other| other.user_type == user.user_type && other.name.eq_ignore_ascii_case(&user.name))
        };
        let users = self.users(session, route);
        for user in here.iter().filter(|user| !is_there(user) && users.concern(user.id)) {
            let text = format!("First: syncUser {} {} (as a CO)\n", user.id, route.destination);
            session.console.print(&text);
        }
    }

    /// Whom the key concerns on the source: a CU asks for the key, a CO for the keys of each user.
    fn users(&self, session: &mut Session<'_>, route: Route) -> Concerned {
        if let Ok(Some(key)) = look_at_one(session, route.source, DescribeKey { handle: self.handle }) {
            return Concerned([vec![key.owner], key.shared_with].concat());
        }
        let users = look_at_one(session, route.source, ListUsers).ok().flatten().unwrap_or_default();
        let mut concerned = Vec::new();
        for user in users.iter().filter(|user| user.user_type == UserType::Cu) {
            let keys = look_at_one(session, route.source, ListKeys { user: Some(user.id), hash: false });
            let keys = keys.ok().flatten().map(|list| list.keys).unwrap_or_default();
            if keys.iter().any(|(handle, _)| *handle == self.handle) {
                concerned.push(user.id);
            }
        }
        Concerned(concerned)
    }
}

/// The users of a key.
struct Concerned(Vec<UserId>);

impl Concerned {
    fn concern(&self, user: UserId) -> bool {
        self.0.contains(&user)
    }
}
