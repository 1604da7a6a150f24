//! `syncUser`

use crate::cluster::Failure;
use crate::cmu::command::action;
use crate::cmu::read::shown;
use crate::cmu::sync::{Route, ask_one, look_at_one, may_replace, print_equal, print_failure_on};
use crate::cmu::{Action, Command, Group, Outcome, Session};
use crate::protocol::Operation;
use crate::protocol::masked::{Existing, ExtractUser, InsertUser, Inserted, MaskedObject};
use crate::protocol::user::{ListUsers, UserId};

pub(super) static COMMAND: Command = Command {
    name: "syncUser",
    arguments: "<user-id> <server-number>",
    group: Group::User,
    summary: "Copy a user to another server (server mode)",
    description: "\
Copies the user with this id from the server of the server mode to another one: type, name and credentials travel
encrypted. The id there may be another. A user who is there with other credentials is only replaced after a
question, and not while logged in there; id and keys stay. A CO has to be logged in on both servers.",
    example: "syncUser 3 1",
    access: Some(InsertUser::ACCESS),
    service: InsertUser::SERVICE,
    secret: None,
    parse: |mut words| {
        let id = UserId(words.number("user-id")?);
        let destination = words.number("server-number")?;
        words.finish()?;
        action(SyncUser { id, destination })
    },
};

struct SyncUser {
    id: UserId,
    destination: usize,
}

impl Action for SyncUser {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Outcome {
        match self.copy(session) {
            Ok(()) => {
                session.console.print("syncUser success\n");
                Outcome::Done
            }
            Err(outcome) => outcome,
        }
    }
}

impl SyncUser {
    fn copy(&self, session: &mut Session<'_>) -> Result<(), Outcome> {
        let route = Route::new(session, COMMAND.name, self.destination)?;
        let object = look_at_one(session, route.source, ExtractUser { id: self.id });
        let object = told(session, "ExtractMaskedObject", route.source, object)?;
        let insert = |existing| InsertUser { object: MaskedObject(object.0.clone()), existing };
        let mut inserted = ask_one(session, route.destination, insert(Existing::Compare));
        let what = self.named(session, route);
        if let Ok(Some(Inserted::Differs(_, differences))) = &inserted {
            may_replace(session, &what, route, differences)?;
            inserted = ask_one(session, route.destination, insert(Existing::Replace));
        }
        let inserted = told(session, "InsertMaskedObject", route.destination, inserted)?;
        print_equal(session, &what, route, &inserted);
        Ok(())
    }
}

impl SyncUser {
    /// The user by type and name: the id may be another's on the destination.
    fn named(&self, session: &mut Session<'_>, route: Route) -> String {
        let users = look_at_one(session, route.source, ListUsers).ok().flatten().unwrap_or_default();
        match users.iter().find(|user| user.id == self.id) {
            Some(user) => format!("User {}({})", shown(&user.name), user.user_type),
            None => format!("User {}", self.id),
        }
    }
}

/// Prints the code of one half of the copying, as the original does, and why it failed.
fn told<R>(
    session: &mut Session<'_>,
    half: &str,
    number: usize,
    answer: Result<Option<R>, Failure>,
) -> Result<R, Outcome> {
    let failure = match answer {
        Ok(Some(reply)) => {
            session.console.print(&format!("{half}: 0x0 !\n"));
            return Ok(reply);
        }
        Ok(None) => return Err(Outcome::Failed),
        Err(failure) => failure,
    };
    if let Failure::Refused(refusal) = &failure {
        session.console.print(&format!("{half}: {:#x} !\n", refusal.code()));
    }
    print_failure_on(session, COMMAND.name, number, &failure);
    Err(Outcome::Failed)
}
