//! A command that is one operation on every server and changes nothing that lasts.

use std::borrow::Cow;

use super::failure::{failure_lines, usual_context};
use super::{Outcome, Session};
use crate::cluster::{Answer, Question, Server};
use crate::protocol::Operation;

/// Asks every server in scope, and shows each one's reply, or failure, in order, at once.
pub(super) fn read<O: Operation>(
    session: &mut Session<'_>,
    command: &str,
    operation: O,
    show: impl Fn(&Server, O::Reply) -> String,
) -> Outcome {
    let Some(answers) = ask_all(session, command, operation) else { return Outcome::Failed };
    let (mut outcome, mut text) = (Outcome::Done, String::new());
    for (number, answer) in answers {
        match answer {
            Ok(reply) => {
                if let (Some(reply), Some(server)) = (reply, session.server(number)) {
                    text.push_str(&show(server, reply));
                }
            }
            Err(failure) => {
                text.push_str(&failure_lines(session, command, usual_context, number, &failure));
                outcome = Outcome::Failed;
            }
        }
    }
    session.console.print(&text);
    outcome
}

/// What every server in scope answers, with the servers' numbers; `None` if the command is none that an HSM takes.
pub(super) fn ask_all<O: Operation>(
    session: &mut Session<'_>,
    command: &str,
    operation: O,
) -> Option<Vec<(usize, Answer<O::Reply>)>> {
    let question = prepare(session, command, operation)?;
    let scope = session.scope();
    session.reconnect(&scope);
    let answers = session.ask(&scope, &question, question.perform());
    Some(scope.into_iter().zip(answers).collect())
}

/// The question of a command, if it is one that an HSM takes.
pub(super) fn prepare<O: Operation>(
    session: &mut Session<'_>,
    command: &str,
    operation: O,
) -> Option<Question<O>> {
    match Question::new(operation) {
        Ok(question) => Some(question),
        Err(error) => {
            session.console.print(&format!("{command} failed: {error}\n"));
            None
        }
    }
}

/// Text from an HSM that may be an impostor, for one line of the session.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) { text.replace(char::is_control, "?").into() } else { text.into() }
}

/// The line of a success: with the server's name in global mode, without in server mode.
pub(super) fn success(session: &Session<'_>, command: &str) -> impl Fn(&Server) -> String + use<> {
    let (command, is_global) = (command.to_owned(), session.pinned.is_none());
    move |server| {
        if is_global { format!("{command} success on {server}\n") } else { format!("{command} success\n") }
    }
}
