//! What syncKey and syncUser share: from the pinned server to another one of the configuration.

use super::caution::confirmed;
use super::failure::{print_failure, usual_context};
use super::{Outcome, Session};
use crate::cluster::Question;
use crate::cluster::{Answer, Failure};
use crate::protocol::Operation;
use crate::protocol::masked::{Difference, Inserted};

/// Where a copy comes from and goes to.
#[derive(Clone, Copy)]
pub(super) struct Route {
    pub(super) source: usize,
    pub(super) destination: usize,
}

impl Route {
    /// The way from the pinned server to another one, both connected if that is possible.
    pub(super) fn new(session: &mut Session<'_>, command: &str, destination: usize) -> Result<Self, Outcome> {
        let Some(source) = session.pinned else {
            session
                .console
                .print(&format!("{command} failed: not in server mode; server <server-number> enters it\n"));
            return Err(Outcome::Failed);
        };
        if session.server(destination).is_none() {
            return Err(super::commands::server::print_no_such_server(session, command, destination));
        }
        if source == destination {
            session.console.print(&format!("{command} failed: server {source} is the source itself\n"));
            return Err(Outcome::Failed);
        }
        session.reconnect(&[source, destination]);
        Ok(Self { source, destination })
    }
}

/// Asks one server.
pub(super) fn ask_one<O: Operation>(
    session: &mut Session<'_>,
    number: usize,
    operation: O,
) -> Answer<O::Reply> {
    let question = Question::new(operation).map_err(|error| Failure::NotReached(error.to_string()))?;
    let mut answers = session.ask(&[number], &question, question.perform());
    answers.pop().unwrap_or_else(not_asked)
}

/// Asks one server what is not what the command is about.
pub(super) fn look_at_one<O: Operation>(
    session: &mut Session<'_>,
    number: usize,
    operation: O,
) -> Answer<O::Reply> {
    let question = Question::new(operation).map_err(|error| Failure::NotReached(error.to_string()))?;
    session.look(&[number], &question).pop().unwrap_or_else(not_asked)
}

fn not_asked<R>() -> Answer<R> {
    Err(Failure::NotReached("not asked".to_owned()))
}

/// Prints a failure with the name of its server: two take part, also in server mode.
pub(super) fn print_failure_on(session: &mut Session<'_>, command: &str, number: usize, failure: &Failure) {
    let pinned = session.pinned.take();
    print_failure(session, command, usual_context, number, failure);
    session.pinned = pinned;
}

/// Whether a copy that is there and differs shall be replaced.
pub(super) fn may_replace(
    session: &mut Session<'_>,
    what: &str,
    route: Route,
    differences: &[Difference],
) -> Result<(), Outcome> {
    let names: Vec<&str> = differences.iter().map(|difference| name(*difference)).collect();
    let Some(server) = session.server(route.destination) else { return Err(Outcome::Failed) };
    let text =
        format!("{what} is on {server} with other {}, which would be replaced\n\n", names.join(" and "));
    session.console.print(&text);
    confirmed(session)
}

/// Says that nothing had to be done.
pub(super) fn print_equal<I>(session: &mut Session<'_>, what: &str, route: Route, inserted: &Inserted<I>) {
    if let (Inserted::Equal(_), Some(server)) = (inserted, session.server(route.destination)) {
        let text = format!("{what} is on {server} already, equal in everything\n");
        session.console.print(&text);
    }
}

fn name(difference: Difference) -> &'static str {
    match difference {
        Difference::Password => "credentials",
        Difference::Owner => "owner",
        Difference::Sharing => "sharing",
        Difference::Attributes => "attributes",
        Difference::MValue => "quorum",
        Difference::QuorumKey => "quorum key",
    }
}
