//! A command that is one operation on every server and changes nothing that lasts.

use super::failure::{print_failure, usual_context};
use super::{Outcome, Session};
use crate::cluster::{Question, Server};
use crate::protocol::Operation;

/// Asks every server in scope, and shows each one's reply, or failure, in order.
pub(super) fn read<O: Operation>(
    session: &mut Session<'_>,
    command: &str,
    operation: O,
    show: impl Fn(&Server, O::Reply) -> String,
) -> Outcome {
    let Ok(question) = Question::new(operation) else { return Outcome::Failed };
    let scope = session.scope();
    session.reconnect(&scope);
    let answers = session.ask(&scope, &question, question.perform());
    let mut outcome = Outcome::Done;
    for (number, answer) in scope.into_iter().zip(answers) {
        match answer {
            Ok(reply) => {
                if let (Some(reply), Some(server)) = (reply, session.server(number)) {
                    let text = show(server, reply);
                    session.console.print(&text);
                }
            }
            Err(failure) => {
                print_failure(session, command, usual_context, number, &failure);
                outcome = Outcome::Failed;
            }
        }
    }
    outcome
}

/// The line of a success: with the server's name in global mode, without in server mode.
pub(super) fn success(session: &Session<'_>, command: &str) -> impl Fn(&Server) -> String + use<> {
    let (command, is_global) = (command.to_owned(), session.pinned.is_none());
    move |server| {
        if is_global { format!("{command} success on {server}\n") } else { format!("{command} success\n") }
    }
}
