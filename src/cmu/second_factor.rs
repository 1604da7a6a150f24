//! The option `-2fa <authdata>`: a second factor. The console waits while the user signs elsewhere.

use std::fmt::Display;

use super::change::Change;
use super::failure::print_failure;
use super::{COMMANDS, Session, Stop};
use crate::cluster::Question;
use crate::command::{Argument, Given, Kind, Usage};
use crate::console::Input;
use crate::protocol::Operation;
use crate::protocol::second_factor::{Digest, GetDigest, NewSecondFactor};
use crate::signing::authdata::{AuthData, BadAuthData, must_be_free};

/// The option that asks for a second factor.
pub(super) const AUTH_FILE: Argument =
    Argument::option(OPTION, "/path/to/authdata", Kind::File, "path of the authentication data");

const OPTION: &str = "-2fa";

/// The path of the authentication data, which carries the digests out and the signatures back.
#[derive(Clone)]
pub(super) struct AuthFile {
    path: String,
}

/// The original's text.
const HOW_TO_SIGN: &str = "\
Generate Base64-encoded signatures for SHA256 digests in the authentication data
file. \n\
To generate the signatures, use the RSA private key, which is the second factor of
authentication for this user. Paste the signatures and the corresponding public key
into the authentication data file and provide \n\
the file path below.
Leave this field blank to use the path initially provided.
";

const QUESTION: &str = "Enter filename:";

impl AuthFile {
    /// Reads [`AUTH_FILE`].
    pub(super) fn parse(given: &Given<'_>, argument: &Argument) -> Result<Self, Usage> {
        given.text(argument).map(|path| Self { path })
    }

    /// The option as it was typed.
    pub(super) fn words(&self) -> String {
        format!(" {OPTION} {}", self.path)
    }

    /// Makes a change with a second factor, which is signed once every server has agreed to the change without it.
    pub(super) fn run<O: Operation + Clone>(
        &self,
        session: &mut Session<'_>,
        change: Change<O>,
        digest: GetDigest,
        add: impl FnOnce(&mut O, NewSecondFactor),
    ) -> Result<(), Stop> {
        let (command, mut operation) = (change.name, change.operation.clone());
        change.run_completed(session, |session, willing| {
            let new = self.sign(session, command, willing, digest, AuthData::new_second_factor)?;
            add(&mut operation, new);
            Ok(operation)
        })
    }

    /// Writes the digests of these servers to the file, waits for the operator to sign them, and reads the file with
    /// `read`.
    pub(super) fn sign<R>(
        &self,
        session: &mut Session<'_>,
        command: &str,
        scope: &[usize],
        digest: GetDigest,
        read: impl FnOnce(&AuthData) -> Result<R, BadAuthData>,
    ) -> Result<R, Stop> {
        let Self { path } = self;
        self.must_be_free()?;
        let digests = digests(session, command, scope, digest)?;
        AuthData::new(digests).write(path).map_err(|reason| cannot_write(path, &reason))?;
        session.console.print(&format!("Authentication data written to: \"{path}\"\n{HOW_TO_SIGN}"));
        let Input::Given(answer) = session.console.answer(QUESTION) else {
            return Err(Stop::failed("nothing was signed"));
        };
        let path = if answer.trim().is_empty() { path } else { answer.trim() };
        // A script that does not expect the question answers it with its next command, which may contain a password.
        let failed = |error| Stop::failed(format!("{}: {error}", COMMANDS.redact(path)));
        AuthData::load(path).and_then(|data| read(&data)).map_err(failed)
    }

    /// Refuses a path that cannot be written, or that holds something else.
    pub(super) fn must_be_free(&self) -> Result<(), Stop> {
        must_be_free(&self.path).map_err(|reason| cannot_write(&self.path, &reason))
    }
}

fn cannot_write(path: &str, reason: &impl Display) -> Stop {
    Stop::failed(format!("cannot write {path}: {reason}"))
}

/// The digests of the servers that return one. The command itself reports the failures of the others when it reaches
/// them, unless no server returns a digest.
fn digests(
    session: &mut Session<'_>,
    command: &str,
    scope: &[usize],
    digest: GetDigest,
) -> Result<Vec<(String, Digest)>, Stop> {
    let answers = session.query(scope, &Question::new(digest)?);
    let (mut digests, mut failures) = (Vec::new(), Vec::new());
    for (number, answer) in scope.iter().copied().zip(answers) {
        let hsm_id = session.server(number).and_then(|server| server.hsm_id()).unwrap_or_default();
        match answer {
            Ok(digest) => digests.push((hsm_id.to_owned(), digest)),
            Err(failure) => failures.push((number, failure)),
        }
    }
    if !digests.is_empty() {
        return Ok(digests);
    }
    for (number, failure) in failures {
        print_failure(session, command, number, &failure);
    }
    Err(Stop::Servers)
}
