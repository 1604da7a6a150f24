//! `registerQuorumPubKey`

use crate::cmu::arguments::{USER_NAME, USER_TYPE};
use crate::cmu::caution::confirm;
use crate::cmu::change::Change;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::{Argument, Kind, Permission};
use crate::files::{Unreadable, read};
use crate::protocol::quorum::{MAX_REGISTRATION_TOKEN, RegisterQuorumKey, Token};
use crate::protocol::user::UserType;
use crate::signing::{public_key, signature_file};

pub(super) static COMMAND: Command = Command {
    name: "registerQuorumPubKey",
    arguments: &[USER_TYPE, USER_NAME, TOKEN, SIGNATURE, PUBLIC_KEY],
    summary: "Register the public key for your approvals",
    description: "\
Registers a public key (RSA with 2048 bits, PEM) for the user who is logged in on every server, or in server mode
on that one, and replaces an earlier one. The registration token is a file of 1 to 245 bytes of your choice. Its
signature (openssl dgst -sha256 -sign, or cloudhsm_mgmt_util sign) proves that you have the private key. No two
users may have the same key. To change the key of a second factor, use changePswd -2fa instead.",
    example: "registerQuorumPubKey CO officer1 officer1.token officer1.token.sig officer1.pub",
    permission: Some(Permission::of::<RegisterQuorumKey>()),
    build: |given| {
        Ok(Box::new(RegisterQuorumPubKey {
            type_word: given.text(&USER_TYPE)?,
            name: given.text(&USER_NAME)?,
            token: given.text(&TOKEN)?,
            signature: given.text(&SIGNATURE)?,
            public_key: given.text(&PUBLIC_KEY)?,
        }))
    },
};

const TOKEN: Argument = Argument::word("registration-token", Kind::File);
const SIGNATURE: Argument = Argument::word("signed-registration-token", Kind::File);
const PUBLIC_KEY: Argument = Argument::word("public-key", Kind::File);

struct RegisterQuorumPubKey {
    type_word: String,
    name: String,
    /// The paths of the three files.
    token: String,
    signature: String,
    public_key: String,
}

impl Action for RegisterQuorumPubKey {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let operation = self.read().map_err(Stop::failed)?;
        confirm(session)?;
        let Self { type_word, name, token, signature, public_key } = *self;
        let again = format!("{} {type_word} {name} {token} {signature} {public_key}", COMMAND.name);
        Change::new(COMMAND.name, operation, again, "listUsers").run(session)
    }
}

impl RegisterQuorumPubKey {
    /// Reads the three files. The error names the file that cannot be used.
    fn read(&self) -> Result<RegisterQuorumKey, String> {
        Ok(RegisterQuorumKey {
            user_type: UserType::parse(&self.type_word),
            name: self.name.clone(),
            token: registration_token(&self.token).map_err(|reason| format!("{}: {reason}", self.token))?,
            signature: signature_file::load(&self.signature)
                .map_err(|reason| format!("{}: {reason}", self.signature))?,
            public_key: public_key::load(&self.public_key)
                .map_err(|reason| format!("{}: {reason}", self.public_key))?,
        })
    }
}

fn registration_token(path: &str) -> Result<Vec<u8>, NoRegistrationToken> {
    let limit = u64::try_from(MAX_REGISTRATION_TOKEN).unwrap_or(u64::MAX);
    match read(path, limit)? {
        token if token.is_empty() => Err(NoRegistrationToken::Empty),
        token if Token::begins(&token) => Err(NoRegistrationToken::Token),
        token => Ok(token),
    }
}

/// What is wrong with a registration token.
#[derive(Debug, thiserror::Error)]
enum NoRegistrationToken {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("empty; a registration token has 1 to {MAX_REGISTRATION_TOKEN} bytes")]
    Empty,
    #[error("a token from getToken; a registration token is a file of your own choice")]
    Token,
}
