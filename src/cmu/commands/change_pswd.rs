//! `changePswd`

use crate::cmu::caution::confirm;
use crate::cmu::change::Change;
use crate::cmu::credentials::{self, Credentials};
use crate::cmu::second_factor::AuthFile;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::Permission;
use crate::protocol::second_factor::{GetDigest, Purpose};
use crate::protocol::user::{self, UserType};

pub(super) static COMMAND: Command = Command {
    name: "changePswd",
    arguments: credentials::ARGUMENTS,
    summary: "Change a user's password",
    description: "\
Changes the password of a user on every server, or in server mode on that one, and resets the count of failed
logins, which unlocks the user. Any user may change their own password, a CO that of any user. The user must not be
logged in anywhere else. Changing the password of the PRECO of a new HSM makes this user a CO and activates the
HSM. With -2fa, a CO also gets a new second factor, as described for createUser. Without it, a user who has a
second factor loses it, and with it the key that is registered for approvals.",
    example: "changePswd PRECO admin -hpswd",
    permission: Some(Permission::of::<user::ChangePassword>()),
    build: |given| Ok(Box::new(ChangePswd(Credentials::parse(given)?))),
};

struct ChangePswd(Credentials);

impl Action for ChangePswd {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let Credentials { type_word, name, password, second_factor } = self.0;
        // Before the operator types a password for a command that cannot succeed.
        second_factor.as_ref().map_or(Ok(()), AuthFile::must_be_free)?;
        let password = password.chosen(session, "Enter new password: ", "Re-enter new password: ")?;
        confirm(session)?;
        let user_type = UserType::parse(&type_word);
        let option = second_factor.as_ref().map(AuthFile::words).unwrap_or_default();
        let operation = user::ChangePassword { user_type, name: name.clone(), password, second_factor: None };
        let again = format!("changePswd {type_word} {name} -hpswd{option}");
        let change = Change {
            heading: Some(format!("Changing password for {name}({type_word})")),
            context: |_, server| {
                format!("Changing password on node {}({}) failed", server.number(), server.name())
            },
            ..Change::new(COMMAND.name, operation, again, "listUsers")
        };
        let digest = GetDigest { purpose: Purpose::ChangePassword, user_type, name };
        match second_factor {
            None => change.run(session),
            Some(file) => file.run(session, change, digest, |op, new| op.second_factor = Some(new)),
        }
    }
}
