//! `shareKey`

use crate::cmu::caution::confirm;
use crate::cmu::change::{Change, Choices};
use crate::cmu::command::action;
use crate::cmu::failure::usual_context;
use crate::cmu::read::{prepare, shown};
use crate::cmu::{Action, Command, Group, Outcome, Session};
use crate::protocol::Operation;
use crate::protocol::key::{self, KeyHandle, Sharing};
use crate::protocol::user::{ListUsers, UserId, UserRow};

pub(super) static COMMAND: Command = Command {
    name: "shareKey",
    arguments: "<key-handle> <user-ids> <(share/unshare key?) 1/0>",
    group: Group::Key,
    summary: "Share a key with other users, or no longer",
    description: "\
Lets other CUs use a key of yours (1), or no longer (0), on every server, or in server mode on the one. The users are
given by their numbers, separated by commas; listUsers shows them. Public keys are everybody's and are not shared.
Who shares a key may use it, but not change, share or delete it. Nothing is changed anywhere before every server has
said that it would.",
    example: "shareKey 262177 4,6 1",
    access: Some(key::ShareKey::ACCESS),
    service: key::ShareKey::SERVICE,
    secret: None,
    parse: |mut words| {
        let handle = KeyHandle(words.number("key-handle")?);
        let users = words.numbers("user-ids")?.into_iter().map(UserId).collect();
        let sharing =
            if words.is_one("share/unshare key? 1/0")? { Sharing::Share } else { Sharing::Unshare };
        words.finish()?;
        action(ShareKey { operation: key::ShareKey { handle, users, sharing } })
    },
};

struct ShareKey {
    operation: key::ShareKey,
}

impl Action for ShareKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Outcome {
        let Self { operation } = *self;
        if let Err(outcome) = must_be_the_same_people(session, &operation.users) {
            return outcome;
        }
        if let Err(outcome) = confirm(session) {
            return outcome;
        }
        Change {
            name: COMMAND.name,
            heading: None,
            context: usual_context,
            choices: Choices::RetryIgnoreAbort,
            again: again(&operation),
            shown_by: "getKeyInfo",
            is_so_already: None,
            operation,
        }
        .run(session)
    }
}

/// Ids are each HSM's own: syncUser gives a user another one. In global mode an id must mean one user everywhere.
fn must_be_the_same_people(session: &mut Session<'_>, ids: &[UserId]) -> Result<(), Outcome> {
    let scope = session.scope();
    let Some(question) = prepare(session, COMMAND.name, ListUsers) else { return Err(Outcome::Failed) };
    session.reconnect(&scope);
    // Who does not answer is met again by the command itself.
    let lists = session.look(&scope, &question).into_iter().filter_map(|answer| answer.ok().flatten());
    let lists: Vec<Vec<UserRow>> = lists.collect();
    let named = |users: &[UserRow], id: UserId| {
        let user = users.iter().find(|user| user.id == id)?;
        Some((user.user_type, user.name.to_ascii_lowercase()))
    };
    for id in ids {
        let mut people: Vec<_> = lists.iter().filter_map(|users| named(users, *id)).collect();
        people.dedup();
        if let [(_, one), (_, other), ..] = people.as_slice() {
            session.console.print(&format!(
                "shareKey failed: user {id} is {} on one server and {} on another; share in server mode, \
                 or on one server and copy the key with syncKey\n",
                shown(one),
                shown(other)
            ));
            return Err(Outcome::Failed);
        }
    }
    Ok(())
}

fn again(operation: &key::ShareKey) -> String {
    let users: Vec<_> = operation.users.iter().map(ToString::to_string).collect();
    let sharing = match operation.sharing {
        Sharing::Share => 1,
        Sharing::Unshare => 0,
    };
    format!("{} {} {} {sharing}", COMMAND.name, operation.handle, users.join(","))
}
