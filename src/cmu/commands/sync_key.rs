//! `syncKey`

use crate::cluster::Failure;
use crate::cmu::arguments::{KEY_HANDLE, SERVER};
use crate::cmu::sync::{Route, Transfer, copy};
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::Permission;
use crate::protocol::Refusal;
use crate::protocol::key::{DescribeKey, KeyHandle, ListKeys};
use crate::protocol::masked::{Existing, ExtractKey, InsertKey, MaskedObject, Place};
use crate::protocol::user::{ListUsers, UserId, UserRow, UserType};

pub(super) static COMMAND: Command = Command {
    name: "syncKey",
    arguments: &[KEY_HANDLE, SERVER],
    summary: "Copy a key to another server (server mode)",
    description: "\
Copies a key with its attributes, owner, sharers and quorum from the server that server mode is for to another one,
where it gets the same handle. Owner and sharers are found there by type and name; syncUser copies those who are
missing. If the other server has a copy that differs, the command asks before it replaces it. A CO can copy any
key, a CU only their own; the user must be logged in on both servers.",
    example: "syncKey 262150 1",
    permission: Some(Permission::of::<InsertKey>()),
    build: |given| {
        let (handle, destination) = (given.handle(&KEY_HANDLE)?, given.number(&SERVER)?);
        Ok(Box::new(SyncKey { handle, destination }))
    },
};

struct SyncKey {
    handle: KeyHandle,
    destination: usize,
}

impl Action for SyncKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        copy(session, self.destination, &*self)
    }
}

impl Transfer for SyncKey {
    type Extract = ExtractKey;
    type Insert = InsertKey;
    type Id = KeyHandle;

    fn command(&self) -> &'static str {
        COMMAND.name
    }

    fn extract(&self) -> ExtractKey {
        ExtractKey { handle: self.handle }
    }

    fn insert(&self, object: MaskedObject, existing: Existing) -> InsertKey {
        InsertKey { object, place: Place::SameHandle, existing }
    }

    fn again(&self, destination: usize) -> String {
        format!("syncKey {} {destination}", self.handle)
    }

    fn shown_by(&self) -> &'static str {
        "findAllKeys"
    }

    fn name(&self, _session: &mut Session<'_>, _route: Route) -> String {
        format!("Key {}", self.handle)
    }

    /// Prints the syncUser to run first, for each user of the key who is missing on the destination.
    fn print_advice(&self, session: &mut Session<'_>, route: Route, failure: &Failure) {
        if *failure != Failure::Refused(Refusal::MaskedOwnerMissing) {
            return;
        }
        let here = route.query_source(session, ListUsers);
        let (Ok(here), Ok(there)) = (here, route.query_destination(session, ListUsers)) else { return };
        let is_there = |user: &UserRow| {
            there
                .iter()
                .any(|other| other.user_type == user.user_type && other.name.eq_ignore_ascii_case(&user.name))
        };
        let concerned = self.users(session, route);
        for user in here.iter().filter(|user| !is_there(user) && concerned.contains(&user.id)) {
            let text = format!("First run: syncUser {} {} (as a CO)\n", user.id, route.destination);
            session.console.print(&text);
        }
    }
}

impl SyncKey {
    /// The key's owner and sharers on the source. A CU may ask for the key itself, a CO only for the keys of each
    /// user.
    fn users(&self, session: &mut Session<'_>, route: Route) -> Vec<UserId> {
        if let Ok(key) = route.query_source(session, DescribeKey { handle: self.handle }) {
            return [vec![key.owner], key.shared_with].concat();
        }
        let users = route.query_source(session, ListUsers).unwrap_or_default();
        let mut concerned = Vec::new();
        for user in users.iter().filter(|user| user.user_type == UserType::Cu) {
            let keys = route.query_source(session, ListKeys { user: Some(user.id), hash: false });
            let keys = keys.map(|list| list.keys).unwrap_or_default();
            if keys.iter().any(|(handle, _)| *handle == self.handle) {
                concerned.push(user.id);
            }
        }
        concerned
    }
}
