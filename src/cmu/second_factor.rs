//! The option `-2fa <authdata>`: a second factor, signed outside the console while it waits.

use super::change::Change;
use super::failure::{print_failure, usual_context};
use super::read::prepare;
use super::{Outcome, Session, Usage, Words, mask};
use crate::console::Input;
use crate::protocol::Operation;
use crate::protocol::second_factor::{Digest, GetDigest, NewSecondFactor};
use crate::signing::authdata::{AuthData, BadAuthData, must_be_free};

/// The word that asks for a second factor.
pub(super) const OPTION: &str = "-2fa";

/// Where the authentication data goes.
#[derive(Clone)]
pub(super) struct AuthFile {
    path: String,
}

/// The original's words.
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
    /// The option, if it comes next.
    pub(super) fn parse(words: &mut Words<'_>) -> Result<Option<Self>, Usage> {
        if !words.skip(OPTION) {
            return Ok(None);
        }
        let path = words.next("path of the authentication data")?.to_owned();
        Ok(Some(Self { path }))
    }

    /// As it was typed.
    pub(super) fn words(&self) -> String {
        format!(" {OPTION} {}", self.path)
    }

    /// Makes a change with a second factor, which is signed once every server would make the change without it.
    pub(super) fn run<O: Operation + Clone>(
        &self,
        session: &mut Session<'_>,
        change: Change<O>,
        digest: GetDigest,
        add: impl FnOnce(&mut O, NewSecondFactor),
    ) -> Outcome {
        let (command, mut operation) = (change.name, change.operation.clone());
        change.run_completed(session, |session, willing| {
            let new = self.sign(session, command, willing, digest, AuthData::new_second_factor)?;
            add(&mut operation, new);
            Some(operation)
        })
    }

    /// Has the digests of these servers signed, and reads with `read` what the operator brings back. `None`
    /// if there is nothing; then it has been told why.
    pub(super) fn sign<R>(
        &self,
        session: &mut Session<'_>,
        command: &str,
        scope: &[usize],
        digest: GetDigest,
        read: impl FnOnce(&AuthData) -> Result<R, BadAuthData>,
    ) -> Option<R> {
        let Self { path } = self;
        if !self.is_free(session, command) {
            return None;
        }
        let digests = self.digests(session, command, scope, digest)?;
        if let Err(reason) = AuthData::new(digests).write(path) {
            session.console.print(&format!("{command} failed: cannot write {path}: {reason}\n"));
            return None;
        }
        session.console.print(&format!("Authentication data written to: \"{path}\"\n{HOW_TO_SIGN}"));
        let Input::Given(answer) = session.console.answer(QUESTION) else {
            session.console.print(&format!("{command} failed: nothing was signed\n"));
            return None;
        };
        let path = if answer.trim().is_empty() { path } else { answer.trim() };
        match AuthData::load(path).and_then(|data| read(&data)) {
            Ok(signed) => Some(signed),
            Err(error) => {
                // What answers a question may have been meant as a command.
                session.console.print(&format!("{command} failed: {}: {error}\n", mask(path)));
                None
            }
        }
    }

    /// Whether the file can be written; if not, it has been told why.
    pub(super) fn is_free(&self, session: &mut Session<'_>, command: &str) -> bool {
        let free = must_be_free(&self.path);
        if let Err(reason) = &free {
            session.console.print(&format!("{command} failed: cannot write {}: {reason}\n", self.path));
        }
        free.is_ok()
    }

    /// One digest of each server that gives one. The command itself tells what is wrong with the others, unless there
    /// are only others.
    fn digests(
        &self,
        session: &mut Session<'_>,
        command: &str,
        scope: &[usize],
        digest: GetDigest,
    ) -> Option<Vec<(String, Digest)>> {
        let question = prepare(session, command, digest)?;
        let answers = session.look(scope, &question);
        let (mut digests, mut failures) = (Vec::new(), Vec::new());
        for (number, answer) in scope.iter().copied().zip(answers) {
            let hsm_id = session.server(number).and_then(|server| server.hsm_id()).unwrap_or_default();
            match answer {
                Ok(digest) => digests.extend(digest.map(|digest| (hsm_id.to_owned(), digest))),
                Err(failure) => failures.push((number, failure)),
            }
        }
        if !digests.is_empty() {
            return Some(digests);
        }
        for (number, failure) in failures {
            print_failure(session, command, usual_context, number, &failure);
        }
        None
    }
}
