//! `shareKey`

use crate::cluster::Question;
use crate::cmu::arguments::KEY_HANDLE;
use crate::cmu::caution::confirm;
use crate::cmu::change::Change;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::{Argument, Kind, Permission};
use crate::foreign::shown;
use crate::protocol::key::{self, Sharing};
use crate::protocol::user::{ListUsers, UserId, UserRow};

pub(super) static COMMAND: Command = Command {
    name: "shareKey",
    arguments: &[KEY_HANDLE, USERS, SHARING],
    summary: "Share a key with other users, or stop sharing it",
    description: "\
Shares one of your keys with other CUs (1), or stops sharing it (0), on every server, or in server mode on that
one. The users are given by their ids, separated by commas; listUsers shows them. A public key can be used by
everyone and is not shared. A user with whom a key is shared may use it, but not change, share or delete it.
Nothing is changed unless every server agrees.",
    example: "shareKey 262177 4,6 1",
    permission: Some(Permission::of::<key::ShareKey>()),
    build: |given| {
        let (handle, users) = (given.handle(&KEY_HANDLE)?, given.users(&USERS)?);
        let sharing = if given.is_one(&SHARING)? { Sharing::Share } else { Sharing::Unshare };
        Ok(Box::new(ShareKey { operation: key::ShareKey { handle, users, sharing } }))
    },
};

const USERS: Argument = Argument::word("user-ids", Kind::UserIds);
const SHARING: Argument =
    Argument { what: "share/unshare key? 1/0", ..Argument::word("(share/unshare key?) 1/0", Kind::Number) };

struct ShareKey {
    operation: key::ShareKey,
}

impl Action for ShareKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let Self { operation } = *self;
        must_be_the_same_users(session, &operation.users)?;
        confirm(session)?;
        let again = again(&operation);
        Change::new(COMMAND.name, operation, again, "getKeyInfo").run(session)
    }
}

/// In global mode an id must mean the same user everywhere. Each HSM assigns its own ids, so a user that syncUser
/// copied may have a different one.
fn must_be_the_same_users(session: &mut Session<'_>, ids: &[UserId]) -> Result<(), Stop> {
    let scope = session.scope();
    let question = Question::new(ListUsers)?;
    session.reconnect(&scope);
    // The command itself reports the servers that do not answer.
    let lists = session.query(&scope, &question).into_iter().filter_map(Result::ok);
    let lists: Vec<Vec<UserRow>> = lists.collect();
    let named = |users: &[UserRow], id: UserId| {
        let user = users.iter().find(|user| user.id == id)?;
        Some((user.user_type, user.name.to_ascii_lowercase()))
    };
    for id in ids {
        let mut found: Vec<_> = lists.iter().filter_map(|users| named(users, *id)).collect();
        found.dedup();
        if let [(_, one), (_, other), ..] = found.as_slice() {
            return Err(Stop::failed(format!(
                "user {id} is {} on one server and {} on another; share the key in server mode, or share it \
                 on one server and copy it with syncKey",
                shown(one),
                shown(other)
            )));
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
