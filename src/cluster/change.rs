//! A change on every server of a scope or on none: all rehearse it before any performs it.

use super::round::{Perform, Rehearse, RoundKind};
use super::{Answer, Cluster, Failure, Question, Reconnected, Server};
use crate::protocol::Operation;

/// Decides what to do about failures while a change is made, and receives reports on each server.
///
/// A closure that decides is enough for a caller who needs only the result.
pub trait Supervisor<O: Operation> {
    /// A server refused, in either round, or did not answer.
    fn failed(&mut self, server: &Server, failure: &Failure) -> Choice;

    /// A server has answered the rehearsal. All have been heard before the first failure is decided, as the decision
    /// about one may end the change without a look at the others.
    fn rehearsed(&mut self, _server: &Server, _answer: Result<(), &Failure>) {}

    /// A server has made the change.
    fn done(&mut self, _server: &Server, _reply: O::Reply) {}

    /// A server that is asked again has been reconnected, or could not be.
    fn reconnected(&mut self, _server: &Server, _how: Reconnected) {}
}

impl<O: Operation, F: FnMut(&Server, &Failure) -> Choice> Supervisor<O> for F {
    fn failed(&mut self, server: &Server, failure: &Failure) -> Choice {
        self(server, failure)
    }
}

/// What to do when a server fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Reconnect to the server and ask it again.
    Retry,
    /// Make the change without this server.
    LeaveOut,
    /// Make the change on no server, if none has made it yet, and report nothing more.
    Stop,
    /// As `Stop`, but first report the answers of the other servers.
    Veto,
}

/// The servers that agreed to make a change; [`Cluster::carry_out`] makes it on them.
#[derive(Debug, Default)]
pub struct Agreement {
    willing: Vec<usize>,
    missing: Vec<(usize, Failure)>,
}

/// The result of a change, server by server.
#[derive(Debug, Default)]
pub struct Changed {
    /// The servers that made it.
    pub done: Vec<usize>,
    /// The servers that did not, with the reason.
    pub missing: Vec<(usize, Failure)>,
    /// The servers that were asked to make it and did not answer.
    pub unknown: Vec<usize>,
}

impl Agreement {
    /// The servers that agreed; none if the supervisor stopped the change.
    #[must_use]
    pub fn willing(&self) -> &[usize] {
        &self.willing
    }

    /// Adds the servers that an earlier agreement on the same change left out.
    #[must_use]
    pub fn after(mut self, earlier: Self) -> Self {
        self.missing.extend(earlier.missing);
        self
    }
}

impl Cluster {
    /// Makes a change on every server of a scope, except those that the supervisor leaves out.
    ///
    /// No server makes it before all have agreed. After that only the network can fail.
    pub async fn change<O: Operation>(
        &mut self,
        scope: &[usize],
        question: &Question<O>,
        supervisor: &mut impl Supervisor<O>,
    ) -> Changed {
        let agreement = self.agree(scope, question, supervisor).await;
        self.carry_out(agreement, question, supervisor).await
    }

    /// The first half of [`change`](Self::change): asks every server whether it agrees, and changes nothing.
    pub async fn agree<O: Operation>(
        &mut self,
        scope: &[usize],
        question: &Question<O>,
        supervisor: &mut impl Supervisor<O>,
    ) -> Agreement {
        let answers = self.rehearse(scope, question).await;
        for (number, answer) in scope.iter().zip(&answers) {
            if let Some(server) = self.servers.get(*number) {
                supervisor.rehearsed(server, answer.as_ref().copied());
            }
        }
        let (mut agreement, mut is_vetoed) = (Agreement::default(), false);
        for (number, answer) in scope.iter().copied().zip(answers) {
            match self.settle::<O, Rehearse>(number, answer, question, supervisor).await {
                Ok(()) => {
                    // Once more, as it may have agreed only when it was asked again.
                    if let Some(server) = self.servers.get(number) {
                        supervisor.rehearsed(server, Ok(()));
                    }
                    agreement.willing.push(number);
                }
                // An empty agreement: no server will perform the change.
                Err((_, Choice::Stop)) => return Agreement::default(),
                Err((failure, choice)) => {
                    is_vetoed |= choice == Choice::Veto;
                    agreement.missing.push((number, failure));
                }
            }
        }
        // After a veto nothing is performed, but by now the supervisor has received every server's answer.
        if is_vetoed { Agreement::default() } else { agreement }
    }

    /// The second half of [`change`](Self::change): makes the change on the servers that agreed.
    ///
    /// Each of them is reported, whatever the supervisor chooses about another one.
    pub async fn carry_out<O: Operation>(
        &mut self,
        agreement: Agreement,
        question: &Question<O>,
        supervisor: &mut impl Supervisor<O>,
    ) -> Changed {
        let Agreement { willing, missing } = agreement;
        let mut changed = Changed { missing, ..Changed::default() };
        let answers = self.perform(&willing, question).await;
        // The servers were asked all at once, so `Stop` cannot keep the change from any of them. After an interrupt,
        // too, the operator must learn which servers made it.
        for (number, answer) in willing.into_iter().zip(answers) {
            match self.settle::<O, Perform>(number, answer, question, supervisor).await {
                Ok(reply) => {
                    changed.done.push(number);
                    if let Some(server) = self.servers.get(number) {
                        supervisor.done(server, reply);
                    }
                }
                Err((Failure::NoAnswer(_), _)) => changed.unknown.push(number),
                Err((failure, _)) => changed.missing.push((number, failure)),
            }
        }
        changed
    }

    /// Asks a server again for as long as it fails and the supervisor wants to retry.
    async fn settle<O: Operation, K: RoundKind<O>>(
        &mut self,
        number: usize,
        mut answer: Answer<K::Reply>,
        question: &Question<O>,
        supervisor: &mut impl Supervisor<O>,
    ) -> Result<K::Reply, (Failure, Choice)> {
        let mut in_doubt = None;
        loop {
            let failure = match answer {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            let choice = match self.servers.get(number) {
                Some(server) => supervisor.failed(server, &failure),
                None => Choice::Stop,
            };
            if matches!(failure, Failure::NoAnswer(_)) {
                // Only a success ends the doubt. The lost call may still be under way and succeed after the server has
                // refused a later one.
                in_doubt = Some(failure.clone());
            }
            if choice != Choice::Retry {
                return Err((in_doubt.unwrap_or(failure), choice));
            }
            // A call without an answer has dropped its link.
            let reconnected = self.reconnect(&[number]).await.pop();
            if let (Some((_, how)), Some(server)) = (reconnected, self.servers.get(number)) {
                supervisor.reconnected(server, how);
            }
            answer = self.ask_one::<O, K>(number, question).await;
        }
    }
}
