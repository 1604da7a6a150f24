//! A change on every server of a scope or on none: all rehearse it before any performs it.

use super::round::{Perform, Rehearse, Round};
use super::{Answer, Cluster, Failure, Question, Reconnected, Server};
use crate::protocol::Operation;

/// Decides what becomes of failures while a change is made, and hears how it goes.
///
/// A closure that decides is enough for a caller who only wants to know how it ended.
pub trait Supervisor<O: Operation> {
    /// A server would not make the change, has not made it, or did not answer.
    fn failed(&mut self, server: &Server, failure: &Failure) -> Choice;

    /// A server would make the change.
    fn willing(&mut self, _server: &Server) {}

    /// A server has made the change.
    fn done(&mut self, _server: &Server, _reply: O::Reply) {}

    /// A server that is asked again has a new connection, or still none.
    fn reconnected(&mut self, _server: &Server, _how: Reconnected) {}
}

impl<O: Operation, F: FnMut(&Server, &Failure) -> Choice> Supervisor<O> for F {
    fn failed(&mut self, server: &Server, failure: &Failure) -> Choice {
        self(server, failure)
    }
}

/// What becomes of a change when a server fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The server is reconnected and asked again.
    Retry,
    /// The change is made without this server.
    LeaveOut,
    /// If no server has made the change yet, none will, and nothing more is reported.
    Stop,
    /// As `Stop`, after what the other servers said is reported.
    Veto,
}

/// Servers that would make a change; [`Cluster::carry_out`] has them make it.
#[derive(Debug, Default)]
pub struct Agreement {
    willing: Vec<usize>,
    missing: Vec<(usize, Failure)>,
}

/// Where a change stands when it is over.
#[derive(Debug, Default)]
pub struct Changed {
    /// The servers that made it.
    pub done: Vec<usize>,
    /// The servers that did not, with the reason.
    pub missing: Vec<(usize, Failure)>,
    /// The servers that were asked to make it and did not say whether they did.
    pub unknown: Vec<usize>,
}

impl Agreement {
    /// The servers that would make the change; none if the supervisor stopped it.
    #[must_use]
    pub fn willing(&self) -> &[usize] {
        &self.willing
    }

    /// Takes over who was left out of an earlier agreement on the same change.
    #[must_use]
    pub fn after(mut self, earlier: Self) -> Self {
        self.missing.extend(earlier.missing);
        self
    }
}

impl Cluster {
    /// Makes a change on every server of a scope, except those that the supervisor leaves out.
    ///
    /// No server makes it before all have said that they would. What can still fail then is the network.
    pub async fn change<O: Operation>(
        &mut self,
        scope: &[usize],
        question: &Question<O>,
        supervisor: &mut impl Supervisor<O>,
    ) -> Changed {
        let agreement = self.agree(scope, question, supervisor).await;
        self.carry_out(agreement, question, supervisor).await
    }

    /// The first half of [`change`](Self::change): asks every server whether it would, and changes nothing.
    pub async fn agree<O: Operation>(
        &mut self,
        scope: &[usize],
        question: &Question<O>,
        supervisor: &mut impl Supervisor<O>,
    ) -> Agreement {
        let answers = self.rehearse(scope, question).await;
        let (mut agreement, mut is_vetoed) = (Agreement::default(), false);
        for (number, answer) in scope.iter().copied().zip(answers) {
            match self.settle::<O, Rehearse>(number, answer, question, supervisor).await {
                Ok(()) => {
                    if let Some(server) = self.servers.get(number) {
                        supervisor.willing(server);
                    }
                    agreement.willing.push(number);
                }
                Err((_, Choice::Stop)) => return Agreement::default(),
                Err((failure, choice)) => {
                    is_vetoed |= choice == Choice::Veto;
                    agreement.missing.push((number, failure));
                }
            }
        }
        if is_vetoed { Agreement::default() } else { agreement }
    }

    /// The second half of [`change`](Self::change). It is not cut short: each server that was asked is reported.
    pub async fn carry_out<O: Operation>(
        &mut self,
        agreement: Agreement,
        question: &Question<O>,
        supervisor: &mut impl Supervisor<O>,
    ) -> Changed {
        let Agreement { willing, missing } = agreement;
        let mut changed = Changed { missing, ..Changed::default() };
        let answers = self.perform(&willing, question).await;
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

    /// Asks a server again until it succeeds or the supervisor has had enough of it.
    async fn settle<O: Operation, K: Round<O>>(
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
                // Only a success ends the doubt: a refusal may have overtaken the first call, which is still on its way.
                in_doubt = Some(failure.clone());
            }
            if choice != Choice::Retry {
                return Err((in_doubt.unwrap_or(failure), choice));
            }
            let reconnected = self.reconnect(&[number]).await.pop();
            if let (Some((_, how)), Some(server)) = (reconnected, self.servers.get(number)) {
                supervisor.reconnected(server, how);
            }
            answer = self.ask_one::<O, K>(number, question).await;
        }
    }
}
