//! Copying from the pinned server to another one of the configuration: what syncKey and syncUser have in common.
//!
//! The source only masks the object, which changes nothing there. The destination is the only server that changes, so
//! there is nothing to rehearse: it makes the copy or refuses it.

use super::caution::confirmed;
use super::failure::{failure_lines, usual_context};
use super::session::no_such_server;
use super::{Session, Stop};
use crate::cluster::{Answer, Failure, Question};
use crate::protocol::Operation;
use crate::protocol::masked::{Difference, Existing, Inserted, MaskedObject};

/// Something that can be copied as a masked object.
pub(super) trait Transfer {
    /// Masks the object on the source.
    type Extract: Operation<Reply = MaskedObject>;
    /// Inserts the masked object on the destination.
    type Insert: Operation<Reply = Inserted<Self::Id>>;
    /// The object's name on the destination: a key handle or a user id.
    type Id;

    fn command(&self) -> &'static str;

    fn extract(&self) -> Self::Extract;

    fn insert(&self, object: MaskedObject, existing: Existing) -> Self::Insert;

    /// The command line that makes the same copy.
    fn again(&self, destination: usize) -> String;

    /// The command that shows whether the destination has it.
    fn shown_by(&self) -> &'static str;

    /// The object's name for the operator.
    fn name(&self, session: &mut Session<'_>, route: Route) -> String;

    /// Prints how one half of the copying went. The original does so for syncUser only.
    fn print_half(&self, _session: &mut Session<'_>, _half: Half, _failure: Option<&Failure>) {}

    /// Prints, after a failure, what to do first.
    fn print_advice(&self, _session: &mut Session<'_>, _route: Route, _failure: &Failure) {}
}

/// The two halves of copying.
#[derive(Clone, Copy)]
pub(super) enum Half {
    Extract,
    Insert,
}

/// Where a copy comes from and goes to.
#[derive(Clone, Copy)]
pub(super) struct Route {
    pub(super) source: usize,
    pub(super) destination: usize,
}

/// Copies an object, and prints how that went.
pub(super) fn copy<T: Transfer>(
    session: &mut Session<'_>,
    destination: usize,
    transfer: &T,
) -> Result<(), Stop> {
    let route = Route::new(session, destination)?;
    let object = route.query_source(session, transfer.extract());
    let object = route.finish(session, transfer, Half::Extract, object)?;
    let insert = |existing| transfer.insert(MaskedObject(object.0.clone()), existing);
    // The destination compares first: the object is encrypted, so only an HSM can tell whether it differs.
    let mut inserted = route.ask_destination(session, insert(Existing::Compare));
    if let Ok(Inserted::Differs(_, differences)) = &inserted {
        let name = transfer.name(session, route);
        route.confirm_replacing(session, &name, differences)?;
        inserted = route.ask_destination(session, insert(Existing::Replace));
    }
    if let Inserted::Equal(_) = route.finish(session, transfer, Half::Insert, inserted)? {
        let name = transfer.name(session, route);
        let place = session.server(route.destination).map(ToString::to_string).unwrap_or_default();
        session.console.print(&format!("{name} is already on {place} and identical\n"));
    }
    session.console.print(&format!("{} success\n", transfer.command()));
    Ok(())
}

impl Route {
    /// The route from the pinned server to another one; reconnects to both.
    fn new(session: &mut Session<'_>, destination: usize) -> Result<Self, Stop> {
        let Some(source) = session.pinned else {
            return Err(Stop::failed("not in server mode; use server <server-number> to enter it"));
        };
        if session.server(destination).is_none() {
            return Err(no_such_server(session, destination));
        }
        if source == destination {
            return Err(Stop::failed(format!("server {source} is the source itself")));
        }
        session.reconnect(&[source, destination]);
        Ok(Self { source, destination })
    }

    /// Queries the source for information that the command needs; the reply is not the command's result.
    pub(super) fn query_source<O: Operation>(
        self,
        session: &mut Session<'_>,
        operation: O,
    ) -> Answer<O::Reply> {
        query(session, self.source, operation)
    }

    /// As [`query_source`](Self::query_source), at the destination.
    pub(super) fn query_destination<O: Operation>(
        self,
        session: &mut Session<'_>,
        operation: O,
    ) -> Answer<O::Reply> {
        query(session, self.destination, operation)
    }

    fn ask_destination<O: Operation>(self, session: &mut Session<'_>, operation: O) -> Answer<O::Reply> {
        let answers = session.perform(&[self.destination], &question(operation)?);
        answers.into_iter().next().unwrap_or_else(not_asked)
    }

    /// Takes the reply of one half, or reports its failure.
    fn finish<R>(
        self,
        session: &mut Session<'_>,
        transfer: &impl Transfer,
        half: Half,
        answer: Answer<R>,
    ) -> Result<R, Stop> {
        transfer.print_half(session, half, answer.as_ref().err());
        answer.map_err(|failure| {
            let number = match half {
                Half::Extract => self.source,
                Half::Insert => self.destination,
            };
            // In server mode, too, the lines name the server: two take part.
            let place = session.server(number);
            let text = failure_lines(transfer.command(), usual_context, place, &failure);
            session.console.print(&text);
            transfer.print_advice(session, self, &failure);
            if let (Half::Insert, Failure::NoAnswer(_)) = (half, &failure) {
                let text = self.in_doubt(session, transfer);
                session.console.print(&text);
            }
            Stop::Servers
        })
    }

    /// As after any change whose answer was lost.
    fn in_doubt(self, session: &Session<'_>, transfer: &impl Transfer) -> String {
        let Self { source, destination } = self;
        let place = session.server(destination).map(ToString::to_string).unwrap_or_default();
        let (command, again, shown_by) =
            (transfer.command(), transfer.again(destination), transfer.shown_by());
        format!(
            "\n{command} may have been done on {place}\nUse {shown_by} to see what is there.\n\
             To repair server {destination}, run: server {source}; loginHSM ...; {again}; exit\n"
        )
    }

    /// Asks whether to replace a copy that differs.
    fn confirm_replacing(
        self,
        session: &mut Session<'_>,
        name: &str,
        differences: &[Difference],
    ) -> Result<(), Stop> {
        let place = session.server(self.destination).map(ToString::to_string).unwrap_or_default();
        let differences: Vec<&str> = differences.iter().map(|difference| word(*difference)).collect();
        session.console.print(&format!(
            "{name} is already on {place} with different {}, which would be replaced\n\n",
            differences.join(" and ")
        ));
        confirmed(session)
    }
}

fn query<O: Operation>(session: &mut Session<'_>, number: usize, operation: O) -> Answer<O::Reply> {
    session.query(&[number], &question(operation)?).pop().unwrap_or_else(not_asked)
}

fn question<O: Operation>(operation: O) -> Result<Question<O>, Failure> {
    Question::new(operation).map_err(|error| Failure::NotReached(error.to_string()))
}

fn not_asked<R>() -> Answer<R> {
    Err(Failure::NotReached("not asked".to_owned()))
}

fn word(difference: Difference) -> &'static str {
    match difference {
        Difference::Password => "credentials",
        Difference::Owner => "owner",
        Difference::Sharing => "sharing",
        Difference::Attributes => "attributes",
        Difference::MValue => "quorum",
        Difference::QuorumKey => "quorum key",
    }
}
