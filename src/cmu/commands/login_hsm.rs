//! `loginHSM`

use crate::cmu::credentials::{self, Credentials};
use crate::cmu::read::{read, success};
use crate::cmu::second_factor::AuthFile;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::Permission;
use crate::protocol::second_factor::{GetDigest, Purpose, SignedDigests};
use crate::protocol::session::Login;
use crate::protocol::user::UserType;
use crate::signing::authdata::AuthData;

pub(super) static COMMAND: Command = Command {
    name: "loginHSM",
    arguments: credentials::ARGUMENTS,
    summary: "Log in to the HSMs",
    description: "\
Logs in to every server, or in server mode to that one. The types are PRECO, CO, CU and AU. Type and password are
case-sensitive, the name is not. -hpswd asks for the password without showing it; -env, -file and -fd read it from
an environment variable, the first line of a file, or the next line of an open file. Five wrong passwords lock the
user on the HSM that counted them; changePswd by a CO unlocks the user. A login replaces an earlier one. With -2fa,
the command writes digests to a file, to be signed with the key that is the second factor (cloudhsm_mgmt_util
sign), and then asks for the file; an empty line means the same file.",
    example: "loginHSM CO admin -hpswd",
    permission: Some(Permission::of::<Login>()),
    build: |given| Ok(Box::new(LoginHsm(Credentials::parse(given)?))),
};

struct LoginHsm(Credentials);

impl Action for LoginHsm {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let Credentials { type_word, name, password, second_factor } = self.0;
        let password = password.given(session, "Enter password: ")?;
        let user_type = UserType::parse(&type_word);
        let second_factor = match second_factor {
            None => None,
            Some(file) => Some(signed(session, &file, user_type, &name)?),
        };
        let login = Login { user_type, name, password, second_factor };
        let success = success(session, COMMAND.name);
        read(session, COMMAND.name, login, |server, ()| success(server))
    }
}

/// The second factor. A user who needs none leaves the digests unsigned, and the HSM ignores them.
fn signed(
    session: &mut Session<'_>,
    file: &AuthFile,
    user_type: UserType,
    name: &str,
) -> Result<SignedDigests, Stop> {
    let scope = session.scope();
    session.reconnect(&scope);
    let digest = GetDigest { purpose: Purpose::Login, user_type, name: name.to_owned() };
    file.sign(session, COMMAND.name, &scope, digest, AuthData::signed_so_far)
}
