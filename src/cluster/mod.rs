//! The configured servers, in order. A question goes to all servers of a scope at once and brings one answer for each.
//!
//! # How a change reaches every server or none
//!
//! [`Cluster::change`] asks in two rounds. First every server *rehearses*: it decides and changes nothing. The servers
//! *perform* only when all have agreed, or the caller's [`Supervisor`] has left out those that have not. Only the
//! network can fail between the two rounds. Each change has an id, and a server that has already made the change of an
//! id repeats its answer, so asking again is safe.
//!
//! A server that dies, stalls or answers garbage yields an answer, too: a [`Failure`]. Its connection is dropped;
//! [`Cluster::reconnect`] makes a new one, on which nobody is logged in.

mod answer;
mod call;
mod change;
mod login;
mod members;
mod pending;
mod question;
mod round;
mod server;
mod unlisted;
mod users;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tokio::task::yield_now;

use crate::interrupt::Interrupt;
use crate::protocol::Operation;
use crate::wire::Limits;

pub use answer::{Answer, Failure};
pub use call::Called;
pub use change::{Agreement, Changed, Choice, Supervisor};
pub use login::LoggedIn;
pub use members::{NoMembers, members, proven_members};
pub use pending::Pending;
pub use question::{Question, Unaskable};
pub use server::{Dial, Limitation, Opened, Owner, Server};
pub use unlisted::{Unlisted, unlisted};
pub use users::proven_users;

use round::{Perform, Rehearse, RoundKind};

/// All servers that the console manages, connected or not.
pub struct Cluster {
    servers: Vec<Server>,
    limits: Limits,
    interrupt: Interrupt,
    pending: Pending,
}

/// How reconnecting to a server went.
pub enum Reconnected {
    /// There is a connection again.
    Trusted {
        /// The user who was logged in on the lost connection and has to log in again.
        was: Option<LoggedIn>,
    },
    /// There is a connection again, but the server has not proved that it belongs to the cluster.
    Limited,
    /// There is still no connection.
    No,
}

impl Cluster {
    /// The servers of a configuration, not connected yet.
    #[must_use]
    pub fn new(dials: Vec<Dial>, limits: Limits, interrupt: Interrupt) -> Self {
        let servers = dials.into_iter().enumerate().map(|(number, dial)| Server::new(number, dial)).collect();
        Self { servers, limits, interrupt, pending: Pending::default() }
    }

    /// Limits how long a call may take from now on, and returns the limit until now.
    pub fn limit_calls(&mut self, limit: Duration) -> Duration {
        std::mem::replace(&mut self.limits.call, limit)
    }

    /// The servers that have not answered the current question, kept up to date while it is asked.
    #[must_use]
    pub fn pending(&self) -> Pending {
        self.pending.clone()
    }

    /// All servers, in the order of their numbers.
    #[must_use]
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// Two servers of the configuration that are the same HSM: a change on it would be reported as a change on two.
    #[must_use]
    pub fn twice_the_same(&self) -> Option<(&Server, &Server)> {
        self.servers.iter().enumerate().find_map(|(at, one)| {
            let is_same = |other: &&Server| one.hsm_id().is_some() && other.hsm_id() == one.hsm_id();
            let other = self.servers.iter().skip(at.saturating_add(1)).find(is_same)?;
            Some((one, other))
        })
    }

    /// The numbers of all servers.
    #[must_use]
    pub fn everywhere(&self) -> Vec<usize> {
        (0..self.servers.len()).collect()
    }

    /// Connects to these servers, all at once. In their order, calls `before` as it starts to wait for a server, and
    /// `after` with the result.
    pub async fn open(
        &mut self,
        scope: &[usize],
        mut before: impl FnMut(&Server),
        mut after: impl FnMut(&Server, &Opened),
    ) {
        let limits = self.limits;
        let chosen = scope.iter().filter_map(|number| self.servers.get(*number));
        let opening: Vec<_> = chosen
            .map(|server| {
                let (number, dial, pending) = (server.number(), server.dial(), self.pending());
                let opening = async move {
                    pending.during(number, Arc::clone(&dial), async { dial.open(&limits).await }).await
                };
                // Tasks, so that all connect while the loop below waits for the first.
                (number, tokio::spawn(opening))
            })
            .collect();
        for (number, mut opening) in opening {
            let Some(server) = self.servers.get_mut(number) else { continue };
            before(server);
            let interrupted = || Opened::Failed("interrupted".to_owned());
            let opened = tokio::select! {
                opened = &mut opening => opened.unwrap_or_else(|error| Opened::Failed(error.to_string())),
                () = self.interrupt.raised() => {
                    opening.abort();
                    // The aborted task must first drop its connection and leave the list of pending servers. How it
                    // ended does not matter.
                    let _ = opening.await;
                    interrupted()
                }
            };
            after(server, &opened);
            server.connected(opened);
        }
    }

    /// The servers among these that have lost their connection, as far as this end knows: it sends nothing to find
    /// out.
    pub async fn lost(&mut self, scope: &[usize]) -> Vec<usize> {
        // A runtime with one thread reads from its sockets only while tasks yield to it. Without this, connections
        // that the other end closed since the last command would look alive.
        yield_now().await;
        let mut is_lost =
            |number: usize| self.servers.get_mut(number).is_some_and(|server| !server.is_alive());
        scope.iter().copied().filter(|number| is_lost(*number)).collect()
    }

    /// Makes new connections to the servers among these that have lost theirs, and returns those servers.
    pub async fn reconnect(&mut self, scope: &[usize]) -> Vec<(usize, Reconnected)> {
        let lost = self.lost(scope).await;
        let mut results = Vec::new();
        self.open(
            &lost,
            |_| (),
            |server, opened| {
                let how = match opened {
                    Opened::Trusted(_) => Reconnected::Trusted { was: server.login().cloned() },
                    Opened::Limited(..) => Reconnected::Limited,
                    Opened::Failed(_) => Reconnected::No,
                };
                results.push((server.number(), how));
            },
        )
        .await;
        results
    }

    /// Asks these servers, all at once, whether they would do this. Changes nothing. The answers are in the order of
    /// `scope`.
    pub async fn rehearse<O: Operation>(
        &mut self,
        scope: &[usize],
        question: &Question<O>,
    ) -> Vec<Answer<()>> {
        self.ask::<O, Rehearse>(scope, question).await
    }

    /// Makes these servers do this, all at once. The answers are in the order of `scope`. A server that gets the same
    /// question twice does it once. The safe way to change something on several servers is [`change`](Self::change).
    pub async fn perform<O: Operation>(
        &mut self,
        scope: &[usize],
        question: &Question<O>,
    ) -> Vec<Answer<O::Reply>> {
        self.ask::<O, Perform>(scope, question).await
    }

    /// Asks these servers, all at once, for something that changes nothing, such as a list.
    ///
    /// # Errors
    ///
    /// If the operation cannot be sent to any server.
    pub async fn read<O: Operation>(
        &mut self,
        scope: &[usize],
        operation: O,
    ) -> Result<Vec<Answer<O::Reply>>, Unaskable> {
        // One round is enough: a server that fails leaves nothing half done on the others.
        Ok(self.perform(scope, &Question::new(operation)?).await)
    }

    /// Reads page after page from each of these servers; none waits for another. `next` asks for what comes after a
    /// page, if anything does. The answers are in the order of `scope`.
    ///
    /// # Errors
    ///
    /// If a question cannot be sent to any server.
    pub async fn read_pages<O: Operation>(
        &mut self,
        scope: &[usize],
        first: O,
        next: impl Fn(&O::Reply) -> Option<O>,
    ) -> Result<Vec<Answer<Vec<O::Reply>>>, Unaskable> {
        let first = Question::new(first)?;
        let mut read: Vec<Answer<Vec<_>>> = scope.iter().map(|_| Ok(Vec::new())).collect();
        let turns = scope.iter().enumerate().map(|(at, number)| self.turn(at, *number, &first));
        let mut turns: FuturesUnordered<_> = turns.collect();
        while let Some((at, called)) = turns.next().await {
            let answer = self.end(called);
            let Some((number, pages)) = scope.get(at).zip(read.get_mut(at)) else { continue };
            match answer {
                Ok(page) => {
                    if let Some(more) = next(&page) {
                        turns.push(self.turn(at, *number, &Question::new(more)?));
                    }
                    if let Ok(pages) = pages {
                        pages.push(page);
                    }
                }
                Err(failure) => *pages = Err(failure),
            }
        }
        Ok(read)
    }

    /// From now on obeys this interrupt; returns the one until now.
    pub fn obey(&mut self, interrupt: Interrupt) -> Interrupt {
        std::mem::replace(&mut self.interrupt, interrupt)
    }

    async fn ask<O: Operation, K: RoundKind<O>>(
        &mut self,
        scope: &[usize],
        question: &Question<O>,
    ) -> Vec<Answer<K::Reply>> {
        let calls: Vec<_> = scope.iter().map(|number| self.call::<O, K>(*number, question)).collect();
        let called = join_all(calls).await;
        self.finish(called)
    }

    async fn ask_one<O: Operation, K: RoundKind<O>>(
        &mut self,
        number: usize,
        question: &Question<O>,
    ) -> Answer<K::Reply> {
        let answer = self.ask::<O, K>(&[number], question).await.pop();
        answer.unwrap_or_else(|| Err(Failure::NotReached("no such server".to_owned())))
    }

    /// A call of the server at this place in a scope.
    fn turn<O: Operation>(
        &mut self,
        at: usize,
        number: usize,
        question: &Question<O>,
    ) -> impl Future<Output = (usize, Called<O::Reply>)> + use<O> {
        let called = self.call::<O, Perform>(number, question);
        async move { (at, called.await) }
    }

    /// Closes all connections.
    pub async fn close(&mut self) {
        let limits = self.limits;
        let links = self.servers.iter_mut().filter_map(Server::take_link);
        join_all(links.map(|link| link.close(&limits)).collect::<Vec<_>>()).await;
    }
}
