//! A command that sends one operation to every server and makes no lasting change.
//!
//! It needs no rehearsal: a server that fails leaves the others as they were. So it takes one round trip, however many
//! servers there are.

use super::failure::{failure_lines, usual_context};
use super::{Session, Stop};
use crate::cluster::{Answer, Question, Server};
use crate::protocol::Operation;

/// Asks every server in scope, and prints each reply or failure, in the order of the servers.
pub(super) fn read<O: Operation>(
    session: &mut Session<'_>,
    command: &str,
    operation: O,
    show: impl Fn(&Server, O::Reply) -> String,
) -> Result<(), Stop> {
    let answers = ask_all(session, operation)?;
    let (mut result, mut text) = (Ok(()), String::new());
    for (number, answer) in answers {
        match (answer, session.server(number)) {
            (Ok(reply), Some(server)) => text.push_str(&show(server, reply)),
            (Ok(_), None) => {}
            (Err(failure), _) => {
                text.push_str(&failure_lines(command, usual_context, session.place(number), &failure));
                result = Err(Stop::Servers);
            }
        }
    }
    session.console.print(&text);
    result
}

/// The answers of the servers in scope, with their numbers.
pub(super) type Answers<R> = Vec<(usize, Answer<R>)>;

/// Reconnects the servers in scope that lost their connection, and asks all of them.
pub(super) fn ask_all<O: Operation>(
    session: &mut Session<'_>,
    operation: O,
) -> Result<Answers<O::Reply>, Stop> {
    let question = Question::new(operation)?;
    let scope = session.scope();
    session.reconnect(&scope);
    let answers = session.perform(&scope, &question);
    Ok(scope.into_iter().zip(answers).collect())
}

/// The line that reports success, with the server's name in global mode.
pub(super) fn success(session: &Session<'_>, command: &str) -> impl Fn(&Server) -> String + use<> {
    let (command, is_global) = (command.to_owned(), session.pinned.is_none());
    move |server| {
        if is_global { format!("{command} success on {server}\n") } else { format!("{command} success\n") }
    }
}
