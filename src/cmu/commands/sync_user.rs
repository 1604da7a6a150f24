//! `syncUser`

use crate::cluster::Failure;
use crate::cmu::arguments::{SERVER, USER_ID};
use crate::cmu::sync::{Half, Route, Transfer, copy};
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::Permission;
use crate::foreign::shown;
use crate::protocol::masked::{Existing, ExtractUser, InsertUser, MaskedObject};
use crate::protocol::user::{ListUsers, UserId};

pub(super) static COMMAND: Command = Command {
    name: "syncUser",
    arguments: &[USER_ID, SERVER],
    summary: "Copy a user to another server (server mode)",
    description: "\
Copies the user with this id from the server that server mode is for to another one. Type, name and credentials
travel encrypted. The id on the other server may differ. If the user exists there with other credentials, the
command asks before it replaces them; it refuses while the user is logged in there. Id and keys are kept. A CO must
be logged in on both servers.",
    example: "syncUser 3 1",
    permission: Some(Permission::of::<InsertUser>()),
    build: |given| {
        let (id, destination) = (given.number(&USER_ID).map(UserId)?, given.number(&SERVER)?);
        Ok(Box::new(SyncUser { id, destination }))
    },
};

struct SyncUser {
    id: UserId,
    destination: usize,
}

impl Action for SyncUser {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        copy(session, self.destination, &*self)
    }
}

impl Transfer for SyncUser {
    type Extract = ExtractUser;
    type Insert = InsertUser;
    type Id = UserId;

    fn command(&self) -> &'static str {
        COMMAND.name
    }

    fn extract(&self) -> ExtractUser {
        ExtractUser { id: self.id }
    }

    fn insert(&self, object: MaskedObject, existing: Existing) -> InsertUser {
        InsertUser { object, existing }
    }

    fn again(&self, destination: usize) -> String {
        format!("syncUser {} {destination}", self.id)
    }

    fn shown_by(&self) -> &'static str {
        "listUsers"
    }

    /// The user's type and name: on the destination the id may belong to another user.
    fn name(&self, session: &mut Session<'_>, route: Route) -> String {
        let users = route.query_source(session, ListUsers).unwrap_or_default();
        match users.iter().find(|user| user.id == self.id) {
            Some(user) => format!("User {}({})", shown(&user.name), user.user_type),
            None => format!("User {}", self.id),
        }
    }

    /// The result code, as the original prints it. Only an HSM has one.
    fn print_half(&self, session: &mut Session<'_>, half: Half, failure: Option<&Failure>) {
        let code = match failure {
            None => 0,
            Some(Failure::Refused(refusal)) => refusal.code(),
            Some(Failure::NotReached(_) | Failure::Interrupted | Failure::NoAnswer(_) | Failure::Limited) => {
                return;
            }
        };
        let half = match half {
            Half::Extract => "ExtractMaskedObject",
            Half::Insert => "InsertMaskedObject",
        };
        session.console.print(&format!("{half}: {code:#x} !\n"));
    }
}
