//! `createUser`

use crate::cmu::caution::confirm;
use crate::cmu::change::{AlreadyDone, Change};
use crate::cmu::credentials::{self, Credentials};
use crate::cmu::second_factor::AuthFile;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::Permission;
use crate::protocol::Refusal;
use crate::protocol::second_factor::{GetDigest, Purpose};
use crate::protocol::user::{self, UserType};

pub(super) static COMMAND: Command = Command {
    name: "createUser",
    arguments: credentials::ARGUMENTS,
    summary: "Create a user",
    description: "\
Creates a CO or a CU on every server, or in server mode on that one. A PRECO or preCO becomes a CO once its password
is changed; PCO is an old word for CO. A name has up to 31 letters, digits and underscores; a password has 7 to 32
characters. -hpswd asks for the password twice without showing it. Nothing is created unless every server agrees.
With -2fa, for a CO, the command writes digests to a file and waits until they
are signed and the public key is in the file (cloudhsm_mgmt_util sign does both). From then on every login needs
such signatures, and the key is registered for quorum approvals.",
    example: "createUser CU alice -hpswd",
    permission: Some(Permission::of::<user::CreateUser>()),
    build: |given| Ok(Box::new(CreateUser(Credentials::parse(given)?))),
};

struct CreateUser(Credentials);

impl Action for CreateUser {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let Credentials { type_word, name, password, second_factor } = self.0;
        // Before the operator types a password for a command that cannot succeed.
        second_factor.as_ref().map_or(Ok(()), AuthFile::must_be_free)?;
        let password = password.chosen(session, "Enter password: ", "Re-enter password: ")?;
        confirm(session)?;
        let user_type = UserType::parse(&type_word);
        let option = second_factor.as_ref().map(AuthFile::words).unwrap_or_default();
        let operation = user::CreateUser { user_type, name: name.clone(), password, second_factor: None };
        let again = format!("createUser {type_word} {name} -hpswd{option}");
        let change = Change {
            heading: Some(format!("Creating User {name}({type_word})")),
            context: |_, server| format!("creating user on {server} failed"),
            // A server that already has the user needs no repair.
            already_done: Some(AlreadyDone {
                by_another: Refusal::UserExists,
                by_this: match second_factor {
                    None => Refusal::CreatedAlready,
                    Some(_) => Refusal::CreatedWithSecondFactor,
                },
            }),
            ..Change::new(COMMAND.name, operation, again, "listUsers")
        };
        let digest = GetDigest { purpose: Purpose::CreateUser, user_type, name };
        match second_factor {
            None => change.run(session),
            Some(file) => file.run(session, change, digest, |op, new| op.second_factor = Some(new)),
        }
    }
}
